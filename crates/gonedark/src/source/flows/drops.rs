//! What the kernel dropped of what was sent to a socket, because nobody read it in time: proc(5), `/proc/net/udp`.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

/// Tables of sockets, one for each family. Where there is none (other systems), nothing can be said.
const TABLES: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];
/// The column with the number of a socket.
const INODE: usize = 9;

/// The sockets of one listener.
pub(super) struct Drops {
    inodes: BTreeSet<u64>,
    told: u64,
}

impl Drops {
    pub(super) fn of(sockets: &[UdpSocket]) -> Self {
        let inode = |socket: &UdpSocket| {
            let descriptor = OwnedFd::from(socket.try_clone().ok()?);
            File::from(descriptor).metadata().ok().map(|known| known.ino())
        };
        Drops { inodes: sockets.iter().filter_map(inode).collect(), told: 0 }
    }

    /// What was dropped since this was last asked, in datagrams.
    pub(super) fn new_ones(&mut self) -> u64 {
        let tables = TABLES.iter().filter_map(|table| std::fs::read_to_string(table).ok());
        let all = tables.map(|table| dropped(&table, &self.inodes)).sum::<u64>();
        let new = all.saturating_sub(self.told);
        self.told = self.told.max(all);
        new
    }
}

fn dropped(table: &str, inodes: &BTreeSet<u64>) -> u64 {
    let of_line = |line: &str| {
        let inode: u64 = line.split_whitespace().nth(INODE)?.parse().ok()?;
        let drops = line.split_whitespace().last()?.parse::<u64>().ok()?;
        inodes.contains(&inode).then_some(drops)
    };
    table.lines().skip(1).filter_map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drops_of_own_sockets_are_read_and_those_of_others_are_not() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  383: 0100007F:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 12
  383: 0100007F:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 30
  390: 0100007F:0809 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5000 2 0000000000000000 7
";
        assert_eq!(dropped(table, &BTreeSet::from([4711, 4712])), 42);
        assert_eq!(dropped(table, &BTreeSet::new()), 0);
    }

    #[test]
    fn what_a_full_socket_drops_is_counted_once() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket2::SockRef::from(&socket).set_recv_buffer_size(4096).expect("a small buffer");
        let mut drops = Drops::of(std::slice::from_ref(&socket));
        assert_eq!(drops.new_ones(), 0);
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let to = socket.local_addr().expect("its address");
        for _ in 0..200 {
            sender.send_to(&[0; 1_000], to).expect("sent");
        }
        let dropped = drops.new_ones();
        assert!((1..200).contains(&dropped), "{dropped}");
        assert_eq!(drops.new_ones(), 0);
    }
}
