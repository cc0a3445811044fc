use super::*;

const NOW: Time = Time::from_micros(1_700_000_000_000_000);
/// Types of messages (RFC 7854 section 4.1).
const PEER_DOWN: u8 = 2;
const PEER_UP: u8 = 3;
const INITIATION: u8 = 4;
/// Types of peers (RFC 7854 section 4.2, RFC 9069 section 4.2).
const GLOBAL: u8 = 0;
const DISTINGUISHED: u8 = 1;
const LOC_RIB: u8 = 3;

fn router(view: Taken) -> Router {
    let settings = Settings {
        name: "station".into(),
        listen: ([127, 0, 0, 1], 0).into(),
        routers: Vec::new(),
        hold: 200_000,
        view,
        vrf: None,
    };
    Router::new(&settings, [192, 0, 2, 9].into())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (6 + body.len()) as u32;
    [&[3], &length.to_be_bytes()[..], &[kind], body].concat()
}

/// Of AS64496 at an address in a table.
fn of_peer(kind: u8, peer: u8, distinguisher: u64, address: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut header = [0; 42];
    header[0] = peer;
    header[2..10].copy_from_slice(&distinguisher.to_be_bytes());
    header[22..26].copy_from_slice(&address);
    header[26..30].copy_from_slice(&64496u32.to_be_bytes());
    message(kind, &[&header[..], body].concat())
}

/// Peer Up with addresses and without OPENs: the session is up all the same.
fn up(peer: u8, distinguisher: u64) -> Vec<u8> {
    of_peer(PEER_UP, peer, distinguisher, [10, 0, 0, 2], &[0; 20])
}

fn down(peer: u8, distinguisher: u64) -> Vec<u8> {
    of_peer(PEER_DOWN, peer, distinguisher, [10, 0, 0, 2], &[4])
}

fn initiation(name: &str) -> Vec<u8> {
    message(INITIATION, &[&[0, 2, 0, name.len() as u8], name.as_bytes()].concat())
}

/// Of each session that something is said of, whether it is up.
fn sessions(parcel: &Parcel) -> Vec<bool> {
    let session = |(_, what): &(Time, Observation)| match what {
        Observation::Session { established, .. } => Some(*established),
        _ => None,
    };
    parcel.batch.observations.iter().filter_map(session).collect()
}

#[test]
fn neighbours_in_vpns_leave_the_one_of_their_address_in_the_global_table_alone() {
    for (view, public, vpn) in [(Taken::PrePolicy, GLOBAL, DISTINGUISHED), (Taken::LocRib, LOC_RIB, LOC_RIB)]
    {
        let (mut router, health) = (router(view), Health::default());
        let said = [up(public, 0), up(vpn, 7), up(vpn, 8), down(vpn, 7), down(vpn, 8)].concat();
        assert_eq!(router.take(&said, NOW, &health), None);
        let parcel = router.hand_on(NOW).expect("a session");
        assert_eq!((sessions(&parcel), parcel.batch.peers.len()), (vec![true], 1), "{view:?}");
        let last = router.gone(NOW).expect("it was there");
        assert_eq!(sessions(&last), [false], "{view:?}");
    }
}

#[test]
fn a_router_of_vpns_alone_says_nothing_and_is_seen_to_be_left_out() {
    let (mut router, health) = (router(Taken::PrePolicy), Health::default());
    let said = [up(DISTINGUISHED, 7), initiation("edge"), down(DISTINGUISHED, 7)].concat();
    assert_eq!(router.take(&said, NOW, &health), None);
    assert!(router.hand_on(NOW).is_none());
    let sessions = health.condition().sessions;
    assert_eq!(sessions.keys().collect::<Vec<_>>(), ["station/edge"]);
    assert_eq!(sessions["station/edge"], "connected; other routing instances of it are left out");
}

#[test]
fn a_router_of_ever_new_names_is_one() {
    let (mut router, health) = (router(Taken::PrePolicy), Health::default());
    for number in 0..1000 {
        assert_eq!(router.take(&initiation(&number.to_string()), NOW, &health), None);
    }
    let sessions = health.condition().sessions;
    assert_eq!(sessions.keys().collect::<Vec<_>>(), ["station/999"]);
}

#[test]
fn a_router_of_ever_new_neighbours_takes_no_more_memory_than_there_are_numbers() {
    let (mut router, health) = (router(Taken::PrePolicy), Health::default());
    for number in 0..70_000_u32 {
        let said = of_peer(PEER_UP, GLOBAL, 0, number.to_be_bytes(), &[0; 20]);
        assert_eq!(router.take(&said, NOW, &health), None);
    }
    assert_eq!(router.up.len(), 1 << 16);
}

/// It would take very long if the damage were searched from its start with each byte.
#[test]
fn damage_that_comes_byte_by_byte_says_what_it_says_at_once() {
    // After damage the next message may wait for an eighth as much again.
    let said = [vec![0; 100 << 10], down(GLOBAL, 0).repeat(500)].concat();
    let [whole, trickled] = [said.len(), 1].map(|size| {
        let (mut router, health) = (router(Taken::PrePolicy), Health::default());
        for piece in said.chunks(size) {
            assert_eq!(router.take(piece, NOW, &health), None);
        }
        let parcel = router.hand_on(NOW).expect("sessions");
        (parcel.batch, health.damaged.into_inner(), health.messages.into_inner())
    });
    assert!(whole == trickled);
    assert_eq!((whole.1, whole.2), (1, 500));
}
