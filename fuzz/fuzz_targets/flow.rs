#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gonedark_fuzz::flow(bytes));
