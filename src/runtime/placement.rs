//! Which server runs which tasks, and which keep their state at hand.
//!
//! Tasks are placed in *slots*, whole: the inputs of a task are never apart. The leader of the servers makes a placement from the last
//! one and the servers there are now; everybody reads the same, so nobody has to ask. A server that leaves gives up its
//! slots only, to those that have their state where there are such; one that comes takes its share and no more, first what it
//! had before. Slots are many and tasks are spread over them by hash, so servers bear about equal loads.

use serde::{Deserialize, Serialize};

use crate::topics::murmur2;

/// Places for tasks: divides evenly among up to six servers, and nearly among many more.
pub const SLOTS: usize = 240;
const VERSION: u32 = 1;

/// What a server does for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs it.
    Active,
    /// Keeps its state up to date.
    Standby,
}

/// The slot of the task `partition` of sub-topology `sub` of `query`. Neighbouring partitions have neighbouring slots.
pub fn slot_of(query: &str, sub: usize, partition: u32) -> usize {
    let hash = murmur2(format!("{query}/{sub}").as_bytes()) as u32 as usize;
    (hash + partition as usize) % SLOTS
}

/// Slots and the servers they are on, by index in `servers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    version: u32,
    servers: Vec<String>,
    active: Vec<usize>,
    standbys: Vec<Vec<usize>>,
    /// Who had the slot before its server left; empty when it is where it was.
    homes: Vec<String>,
}

impl Placement {
    /// Reads what [`Placement::to_bytes`] has written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let placement: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let slots = [placement.active.len(), placement.standbys.len(), placement.homes.len()];
        let servers = placement.active.iter().chain(placement.standbys.iter().flatten());
        if placement.version != VERSION || slots != [SLOTS; 3] || servers.max() >= Some(&placement.servers.len()) {
            return Err("it was written by another version".to_owned());
        }
        Ok(placement)
    }

    /// The placement as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts are JSON")
    }

    /// Number of servers.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// The servers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(String::as_str)
    }

    /// What `server` does for the tasks of `slot`.
    pub fn role(&self, server: &str, slot: usize) -> Option<Role> {
        let index = self.servers.iter().position(|known| known == server)?;
        if self.active[slot] == index {
            return Some(Role::Active);
        }
        self.standbys[slot].contains(&index).then_some(Role::Standby)
    }

    /// The server that runs the tasks of `slot`, and those that keep their state at hand.
    pub fn owners(&self, slot: usize) -> (&str, Vec<&str>) {
        let name = |index: usize| self.servers.get(index).map_or("", String::as_str);
        (name(self.active[slot]), self.standbys[slot].iter().map(|&index| name(index)).collect())
    }

    /// Places all slots on `servers`, of which there is at least one, each with `standbys` copies where there are enough servers. What
    /// `previous` has is kept as far as may be.
    pub fn new(previous: Option<&Self>, servers: &[String], standbys: usize) -> Self {
        let mut placing = Placing::new(previous, servers);
        placing.replace_the_gone();
        placing.level();
        placing.place_standbys(standbys.min(servers.len() - 1));
        Self {
            version: VERSION,
            servers: servers.to_vec(),
            active: placing.active.into_iter().map(|server| server.unwrap_or(0)).collect(),
            standbys: placing.standbys,
            homes: placing.homes,
        }
    }
}

/// A placement being made.
struct Placing<'a> {
    servers: &'a [String],
    active: Vec<Option<usize>>,
    /// Servers that have the slot's state, best first.
    standbys: Vec<Vec<usize>>,
    homes: Vec<String>,
    loads: Vec<usize>,
}

impl<'a> Placing<'a> {
    fn new(previous: Option<&Placement>, servers: &'a [String]) -> Self {
        let mut placing = Self {
            servers,
            active: vec![None; SLOTS],
            standbys: vec![Vec::new(); SLOTS],
            homes: vec![String::new(); SLOTS],
            loads: vec![0; servers.len()],
        };
        let Some(previous) = previous else { return placing };
        let index_of = |old: usize| servers.iter().position(|server| *server == previous.servers[old]);
        for slot in 0..SLOTS {
            let owner = index_of(previous.active[slot]);
            placing.active[slot] = owner;
            placing.standbys[slot] = previous.standbys[slot].iter().filter_map(|&old| index_of(old)).collect();
            placing.homes[slot].clone_from(&previous.homes[slot]);
            match owner {
                Some(owner) => placing.loads[owner] += 1,
                None => placing.homes[slot].clone_from(&previous.servers[previous.active[slot]]),
            }
        }
        placing
    }

    fn least_loaded(&self, among: impl Iterator<Item = usize>) -> Option<usize> {
        among.min_by_key(|&server| self.loads[server])
    }

    /// Gives slots without a server to one that has their state, else to the one with the least.
    fn replace_the_gone(&mut self) {
        for slot in 0..SLOTS {
            if self.active[slot].is_some() {
                continue;
            }
            let server = self
                .least_loaded(self.standbys[slot].iter().copied())
                .or_else(|| self.least_loaded(0..self.servers.len()));
            self.active[slot] = server;
            self.loads[server.unwrap_or(0)] += 1;
        }
    }

    /// Moves slots from who has most to who has least until all have about the same.
    fn level(&mut self) {
        loop {
            let least = (0..self.loads.len()).min_by_key(|&server| self.loads[server]).unwrap_or(0);
            let most = (0..self.loads.len()).max_by_key(|&server| self.loads[server]).unwrap_or(0);
            if self.loads[most] - self.loads[least] <= 1 {
                return;
            }
            let movable = (0..SLOTS).filter(|&slot| self.active[slot] == Some(most));
            let cost = |slot: &usize| (self.distance(*slot, least), self.neighbours(*slot, least));
            let Some(slot) = movable.min_by_key(cost) else { return };
            self.active[slot] = Some(least);
            self.loads[most] -= 1;
            self.loads[least] += 1;
            self.homes[slot].clear();
            // Who had it until now has its state.
            self.standbys[slot].retain(|&server| server != most);
            self.standbys[slot].insert(0, most);
        }
    }

    /// How far the state of `slot` is from `server`.
    fn distance(&self, slot: usize, server: usize) -> u8 {
        if self.homes[slot] == self.servers[server] {
            0
        } else if self.standbys[slot].contains(&server) {
            1
        } else {
            2
        }
    }

    /// How many slots near `slot` are on `server`: the partitions of a query are in neighbouring slots and should be apart.
    fn neighbours(&self, slot: usize, server: usize) -> usize {
        let near = 1..self.servers.len();
        let at = |slot: usize| usize::from(self.active[slot % SLOTS] == Some(server));
        near.map(|step| at(slot + step) + at(slot + SLOTS - step)).sum()
    }

    /// Gives every slot `count` standbys: those it has, then those that have few, few of the same server's above all.
    fn place_standbys(&mut self, count: usize) {
        let servers = self.servers.len();
        let mut pairs = vec![vec![0_usize; servers]; servers];
        let mut loads = vec![0_usize; servers];
        for slot in 0..SLOTS {
            let active = self.active[slot].unwrap_or(0);
            self.standbys[slot].retain(|&server| server != active);
            self.standbys[slot].truncate(count);
            for &standby in &self.standbys[slot] {
                pairs[active][standby] += 1;
                loads[standby] += 1;
            }
        }
        for slot in 0..SLOTS {
            let active = self.active[slot].unwrap_or(0);
            while self.standbys[slot].len() < count {
                let free = (0..servers).filter(|server| *server != active && !self.standbys[slot].contains(server));
                let Some(standby) = free.min_by_key(|&server| (pairs[active][server], loads[server])) else { break };
                self.standbys[slot].push(standby);
                pairs[active][standby] += 1;
                loads[standby] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(names: &str) -> Vec<String> {
        names.split_whitespace().map(ToOwned::to_owned).collect()
    }

    fn owner(placement: &Placement, slot: usize) -> &str {
        &placement.servers[placement.active[slot]]
    }

    fn moved(before: &Placement, after: &Placement) -> Vec<usize> {
        (0..SLOTS).filter(|&slot| owner(before, slot) != owner(after, slot)).collect()
    }

    fn assert_level(placement: &Placement) {
        let counts: Vec<usize> = (0..placement.servers.len())
            .map(|server| placement.active.iter().filter(|&&active| active == server).count())
            .collect();
        let (least, most) = (counts.iter().min().expect("servers"), counts.iter().max().expect("servers"));
        assert!(most - least <= 1, "{counts:?}");
    }

    #[test]
    fn one_server_has_everything() {
        let placement = Placement::new(None, &servers("a"), 1);
        assert!((0..SLOTS).all(|slot| placement.role("a", slot) == Some(Role::Active)));
        assert_eq!(placement.role("b", 0), None);
    }

    #[test]
    fn slots_are_level_whoever_comes_and_goes() {
        let mut placement = Placement::new(None, &servers("a b"), 1);
        for names in ["a b c", "a c", "c", "a c d e", "b", "a b c d e f g"] {
            placement = Placement::new(Some(&placement), &servers(names), 1);
            assert_level(&placement);
        }
    }

    #[test]
    fn who_comes_takes_its_share_and_nothing_else_moves() {
        let before = Placement::new(None, &servers("a b c"), 1);
        let after = Placement::new(Some(&before), &servers("a b c d"), 1);
        let moved = moved(&before, &after);
        assert_eq!(moved.len(), SLOTS / 4);
        assert!(moved.iter().all(|&slot| owner(&after, slot) == "d"));
    }

    #[test]
    fn neighbouring_slots_are_on_different_servers_however_these_came() {
        let mut placement = Placement::new(None, &servers("a"), 0);
        for names in ["a b", "a b c", "a b c d"] {
            placement = Placement::new(Some(&placement), &servers(names), 0);
        }
        let together = (1..SLOTS).filter(|&slot| owner(&placement, slot) == owner(&placement, slot - 1)).count();
        assert!(together < SLOTS / 20, "{together} pairs of neighbours are together");
    }

    #[test]
    fn the_slots_of_who_leaves_go_to_their_standbys() {
        let before = Placement::new(None, &servers("a b c"), 1);
        let after = Placement::new(Some(&before), &servers("b c"), 1);
        for slot in moved(&before, &after) {
            assert_eq!(owner(&before, slot), "a");
            assert_eq!(before.role(owner(&after, slot), slot), Some(Role::Standby), "slot {slot}");
        }
        assert_level(&after);
    }

    #[test]
    fn who_comes_back_gets_what_it_had() {
        let first = Placement::new(None, &servers("a b c"), 0);
        let without = Placement::new(Some(&first), &servers("a c"), 0);
        let again = Placement::new(Some(&without), &servers("a b c"), 0);
        assert_eq!(moved(&first, &again), Vec::<usize>::new());
    }

    #[test]
    fn standbys_are_on_other_servers_and_as_many_as_there_can_be() {
        let placement = Placement::new(None, &servers("a b c"), 1);
        for slot in 0..SLOTS {
            let roles: Vec<_> =
                ["a", "b", "c"].map(|server| placement.role(server, slot)).into_iter().flatten().collect();
            assert_eq!(roles.iter().filter(|role| **role == Role::Standby).count(), 1);
        }
        let placement = Placement::new(None, &servers("a b"), 5);
        assert!(placement.standbys.iter().all(|standbys| standbys.len() == 1));
    }

    #[test]
    fn a_placement_is_read_as_it_was_written() {
        let placement = Placement::new(None, &servers("a b c"), 2);
        assert_eq!(Placement::from_bytes(&placement.to_bytes()), Ok(placement));
        assert!(Placement::from_bytes(b"{}").is_err());
    }

    #[test]
    fn a_placement_of_another_version_is_refused() {
        let newer = Placement { version: VERSION + 1, ..Placement::new(None, &servers("a b"), 1) };
        assert_eq!(Placement::from_bytes(&newer.to_bytes()), Err("it was written by another version".to_owned()));
    }

    #[test]
    fn partitions_of_a_query_are_in_different_slots() {
        let slots: std::collections::HashSet<usize> =
            (0..64).map(|partition| slot_of("CTAS_A_1", 0, partition)).collect();
        assert_eq!(slots.len(), 64);
    }
}
