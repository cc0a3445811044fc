//! Losses that last long, of many networks that flap meanwhile: what is told of them, and what is kept.

mod world;

use gonedark_infer::news::News;
use gonedark_infer::report::{Incident, Level};
use gonedark_infer::{Inference, Watch};
use gonedark_route::Prefix;
use world::{TWELVE, World, everything, incidents_of, registry};

/// Networks of the US that go dark, besides the 60 that are there anyway.
const COUNT: usize = 400;
const BACK: &[u32] = &[3356];

fn prefixes() -> Vec<String> {
    (0..COUNT).map(|net| format!("8.{}.{}.0/24", 100 + net / 200, net % 200)).collect()
}

/// Nothing is there but those, of twelve peers; all are lost from 600 s on, but for as many as `stay`.
fn dark(stay: usize) -> (World, Vec<String>) {
    let prefixes = prefixes();
    let mut world = World::with(3, &TWELVE, registry(), Watch::default(), 1);
    world.inference.tell_news();
    let mut routes: Vec<(Prefix, Vec<u32>)> =
        prefixes.iter().map(|prefix| (prefix.parse().unwrap(), BACK.to_vec())).collect();
    routes.extend(everything().into_iter().filter(|(_, tail)| tail != BACK));
    world.tables_of(0, &routes);
    let lost: Vec<&str> = prefixes[stay..].iter().map(String::as_str).collect();
    world.all_withdraw(600, 1, &lost);
    (world, prefixes)
}

fn told(inference: &mut Inference) -> Option<Incident> {
    let News { incidents, .. } = inference.news();
    incidents.into_iter().find(|retold| retold.entity.code() == "US")?.incidents.pop()
}

#[test]
fn details_of_hundreds_of_networks_are_told_as_often_as_they_cost_little_and_a_turn_at_once() {
    let (mut world, prefixes) = dark(0);
    let (mut tellings, mut last) = (0, None);
    for second in 700..1_300 {
        // One voter of twelve turns nothing: it is a detail, a new one each second.
        let network = [prefixes[second as usize % COUNT].as_str()];
        match second % 2 {
            0 => world.announce(second, 0, BACK, &network),
            _ => world.withdraw(second, 0, &network),
        }
        if let Some(incident) = told(&mut world.inference) {
            assert_eq!(incident.level, Level::Dark);
            (tellings, last) = (tellings + 1, Some(incident));
        }
    }
    // 400 networks: no sooner than after four seconds.
    assert!((60..=150).contains(&tellings), "{tellings} times");
    // Right after they were told: one more, of which no news are asked for before the last ones.
    let mut second = 1_300;
    while told(&mut world.inference).is_none() {
        world.announce(second, 5, BACK, &[&prefixes[second as usize % COUNT]]);
        second += 1;
    }
    world.announce(second, 6, BACK, &[&prefixes[7]]);
    world.withdraw(second, 6, &[&prefixes[7]]);
    world.inference.watermark(world::at(second + 1));
    world.inference.tell_rest();
    last = told(&mut world.inference).or(last);
    let report = world.report(second + 1);
    assert!(last.as_ref() == incidents_of(&report, "US").last().copied(), "the last details were not told");

    let all: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    world.all_announce(second + 2, 0, BACK, &all);
    world.inference.watermark(world::at(second + 3));
    assert!(told(&mut world.inference).is_some_and(|incident| incident.ended), "its end waited");
}

#[test]
fn a_loss_with_networks_that_flap_for_days_keeps_no_more_than_for_hours() {
    let (mut world, prefixes) = dark(COUNT / 10);
    let flapping: Vec<&str> = prefixes[COUNT / 2..COUNT / 2 + 20].iter().map(String::as_str).collect();
    let mut sizes = Vec::new();
    for round in 0..1_000 {
        let begin = 700 + round * 40;
        for (place, network) in flapping.iter().enumerate() {
            world.all_announce(begin + place as i64, 0, BACK, &[network]);
        }
        for (place, network) in flapping.iter().enumerate() {
            world.all_withdraw(begin + 20 + place as i64, 0, &[network]);
        }
        told(&mut world.inference);
        if round % 500 == 499 {
            sizes.push(postcard::to_allocvec(&world.inference).unwrap().len());
        }
    }
    // What was touched of late is kept in blocks, which fill: of 16,384 times some 7 bytes.
    assert!(sizes[1] < sizes[0] + 120_000, "{sizes:?} bytes");
    let report = world.report(700 + 1_000 * 40);
    let incident = incidents_of(&report, "US")[0].clone();
    assert_eq!((incident.level, incident.ended), (Level::Severe, false));
}
