//! `gonedark watch` as it is run: the binary itself, killed, on full and read-only disks, with damaged stores.

mod bmp;
mod bmp_station;
mod bootstrap;
mod disk;
mod evidence;
mod export;
mod exporter;
mod flows;
mod follower;
mod kill;
mod manual;
mod observed;
mod ris_live;
mod ris_server;
mod said;
mod serve;
mod streams;
