//! The taxi zones: the lookup file the sample publishes, and where its trips go.
use std::fmt::Write as _;
use std::sync::LazyLock;

use super::random::Random;

/// One of the 265 zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    pub id: i32,
    pub borough: &'static str,
    pub name: &'static str,
    /// Who may pick up there: `Yellow Zone`, `Boro Zone`, `Airports`, `EWR`.
    pub service: &'static str,
}

/// The zones in order of their ids, with the share of trips that each gets.
#[derive(Debug)]
pub struct Zones {
    zones: Vec<Zone>,
    /// Running totals of the four weights of `zones.txt`.
    shares: [Vec<u64>; 4],
}

/// Which column of weights a trip's end is drawn by.
#[derive(Clone, Copy, Debug)]
pub enum Share {
    YellowFrom,
    YellowTo,
    GreenFrom,
    GreenTo,
}

pub static ZONES: LazyLock<Zones> = LazyLock::new(|| Zones::parse(include_str!("zones.txt")));

/// Zones whose trips pay the airport fee: JFK, `LaGuardia`.
pub const AIRPORTS: [i32; 2] = [132, 138];
pub const JFK: i32 = 132;

impl Zones {
    fn parse(text: &'static str) -> Self {
        const WRITTEN: &str = "zones.txt is part of the program and is tested";
        let (mut borough, mut service) = ("", "");
        let mut zones = Vec::with_capacity(265);
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(heading) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                (borough, service) = heading.split_once(" | ").expect(WRITTEN);
                continue;
            }
            let mut fields = line.split(" | ");
            let id = fields.next().and_then(|id| id.parse().ok()).expect(WRITTEN);
            let name = fields.next().expect(WRITTEN);
            let weights: Vec<u64> = fields
                .next()
                .expect(WRITTEN)
                .split(' ')
                .map(|weight| weight.parse().expect(WRITTEN))
                .collect();
            zones.push((Zone { id, borough, name, service }, weights));
        }
        zones.sort_by_key(|(zone, _)| zone.id);
        let shares = [0, 1, 2, 3].map(|share| {
            let mut total = 0;
            let running = |(_, weights): &(Zone, Vec<u64>)| {
                total += weights[share];
                total
            };
            zones.iter().map(running).collect()
        });
        Self { zones: zones.into_iter().map(|(zone, _)| zone).collect(), shares }
    }

    pub fn draw(&self, random: &mut Random, share: Share) -> i32 {
        let running = &self.shares[share as usize];
        let at = random.below(running[running.len() - 1]);
        self.zones[running.partition_point(|total| *total <= at)].id
    }

    /// A trip's zone by its id; `None` when no such zone exists.
    pub fn get(&self, id: i32) -> Option<&Zone> {
        usize::try_from(id - 1).ok().and_then(|index| self.zones.get(index))
    }

    /// Manhattan's yellow-taxi core, where the surcharges for congestion are due.
    pub fn is_core(&self, id: i32) -> bool {
        self.get(id).is_some_and(|zone| zone.service == "Yellow Zone")
    }

    /// `taxi_zone_lookup.csv` as the TLC writes it today: LF, texts in quotes.
    pub fn lookup(&self) -> String {
        let mut text = String::from("\"LocationID\",\"Borough\",\"Zone\",\"service_zone\"\n");
        for Zone { id, borough, name, service } in &self.zones {
            writeln!(text, "{id},\"{borough}\",\"{name}\",\"{service}\"")
                .expect("a String takes every write");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lookup_has_every_zone_once() {
        let ids: Vec<i32> = ZONES.zones.iter().map(|zone| zone.id).collect();
        assert_eq!(ids, (1..=265).collect::<Vec<_>>());
        let borough = |name| ZONES.zones.iter().filter(|zone| zone.borough == name).count();
        // facts/tlc.md section 5, measured on the TLC's file
        let expected = [
            ("Queens", 69),
            ("Manhattan", 69),
            ("Brooklyn", 61),
            ("Bronx", 43),
            ("Staten Island", 20),
            ("EWR", 1),
        ];
        for (name, count) in expected {
            assert_eq!(borough(name), count, "{name}");
        }
        assert_eq!(ZONES.lookup().lines().count(), 266);
        assert_eq!(ZONES.lookup().lines().nth(56), Some("56,\"Queens\",\"Corona\",\"Boro Zone\""));
    }

    #[test]
    fn trips_start_where_they_do() {
        let mut random = Random::from_text("zones");
        let drawn: Vec<i32> =
            (0..10_000).map(|_| ZONES.draw(&mut random, Share::GreenFrom)).collect();
        let east_harlem = drawn.iter().filter(|id| **id == 74).count();
        assert!((1_900..2_400).contains(&east_harlem), "{east_harlem}");
        assert!(drawn.iter().all(|id| ZONES.get(*id).is_some()));
    }
}
