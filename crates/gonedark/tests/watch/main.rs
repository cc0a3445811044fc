//! `gonedark watch` as it is run: the binary itself, killed, on full and read-only disks, with damaged stores.

mod disk;
mod export;
mod kill;
mod manual;
mod observed;
mod said;
mod serve;
