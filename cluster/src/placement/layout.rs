//! Replicas on nodes, and moving them until every node holds its number.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

/// What a group's nodes must satisfy.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Nodes of a group; there are as many.
    pub replication: usize,
    /// Different zones there are.
    pub zones: usize,
}

impl Rule {
    /// Is there a zone for each replica? If not, each zone has at least one.
    pub fn one_a_zone(&self) -> bool {
        self.zones >= self.replication
    }
}

/// How much a node is a group's.
pub type Rank<'a> = &'a dyn Fn(usize, usize) -> u64;

/// Groups and nodes by their places in lists.
pub struct Layout {
    rule: Rule,
    zone: Vec<usize>,
    quota: Vec<usize>,
    /// Nodes of each group as it was.
    before: Vec<Vec<usize>>,
    /// Nodes of each group.
    on: Vec<Vec<usize>>,
    /// Groups of each node.
    holds: Vec<BTreeSet<usize>>,
}

/// Where a chain of moves begins.
#[derive(Clone, Copy)]
enum Start {
    /// A group that lacks a replica.
    Group(usize),
    /// A node that holds too many.
    Node(usize),
}

/// The step by which a chain came to a node: a group, from another node or from nowhere.
#[derive(Clone, Copy)]
struct Step {
    group: usize,
    from: Option<usize>,
}

impl Layout {
    pub fn of(rule: Rule, zone: Vec<usize>, quota: Vec<usize>, on: Vec<Vec<usize>>) -> Layout {
        let mut holds = vec![BTreeSet::new(); zone.len()];
        for (group, on) in on.iter().enumerate() {
            for node in on {
                holds[*node].insert(group);
            }
        }
        Layout { rule, zone, quota, before: on.clone(), on, holds }
    }

    /// The nodes of each group, ascending.
    pub fn planned(mut self, rank: Rank) -> Vec<Vec<usize>> {
        (0..self.on.len()).for_each(|group| self.trim(group, rank));
        (0..self.on.len()).for_each(|group| self.fill(group, rank));
        (0..self.zone.len()).for_each(|node| self.pull(node, rank));
        (0..self.on.len()).for_each(|group| self.complete(group));
        for node in 0..self.zone.len() {
            while self.is_over(node) && self.chain(Start::Node(node)) {}
            // What no chain takes away as a whole is taken apart: one replica gone, and put up again elsewhere.
            while self.is_over(node) {
                let Some(group) = self.holds[node].iter().copied().min_by_key(|group| rank(*group, node)) else {
                    break;
                };
                self.remove(group, node);
                self.complete(group);
            }
        }
        self.on.iter_mut().for_each(|on| on.sort_unstable());
        self.on
    }

    fn is_over(&self, node: usize) -> bool {
        self.holds[node].len() > self.quota[node]
    }

    fn has_room(&self, node: usize) -> bool {
        self.holds[node].len() < self.quota[node]
    }

    fn lacks(&self, group: usize) -> bool {
        self.on[group].len() < self.rule.replication
    }

    fn was_on(&self, group: usize, node: usize) -> bool {
        self.before[group].contains(&node)
    }

    fn add(&mut self, group: usize, node: usize) {
        self.on[group].push(node);
        self.holds[node].insert(group);
    }

    fn remove(&mut self, group: usize, node: usize) {
        self.on[group].retain(|other| *other != node);
        self.holds[node].remove(&group);
    }

    /// May the group be on `to` (instead of `from`), and still reach all it needs?
    fn fits(&self, group: usize, from: Option<usize>, to: usize) -> bool {
        let others = || self.on[group].iter().copied().filter(|node| Some(*node) != from);
        if self.on[group].contains(&to) {
            return false;
        }
        let fresh = others().all(|node| self.zone[node] != self.zone[to]);
        match self.rule.one_a_zone() {
            true => fresh && others().count() < self.rule.replication,
            // Places are kept for the zones that have no replica yet.
            false => others().count() + 1 + self.uncovered(others()) - usize::from(fresh) <= self.rule.replication,
        }
    }

    /// Zones without a replica on any of these nodes.
    fn uncovered(&self, nodes: impl Iterator<Item = usize>) -> usize {
        // As few as a group has replicas: no set is built.
        let zones: Vec<usize> = nodes.map(|node| self.zone[node]).collect();
        let repeated = (1..zones.len()).filter(|n| zones[..*n].contains(&zones[*n])).count();
        self.rule.zones + repeated - zones.len()
    }

    /// Takes away what the rule has no place for: the replica whose node has the most too many.
    fn trim(&mut self, group: usize, rank: Rank) {
        loop {
            let on = self.on[group].clone();
            let twice = |node: &usize| on.iter().filter(|other| self.zone[**other] == self.zone[*node]).count() > 1;
            let doubled: Vec<usize> = on.iter().copied().filter(twice).collect();
            let candidates = match self.rule.one_a_zone() {
                true if !doubled.is_empty() => doubled,
                true if on.len() > self.rule.replication => on,
                false if on.len() + self.uncovered(on.iter().copied()) > self.rule.replication => doubled,
                _ => return,
            };
            let over = |node: usize| self.holds[node].len() as i64 - self.quota[node] as i64;
            match candidates.into_iter().max_by_key(|node| (over(*node), Reverse(rank(group, *node)))) {
                Some(node) => self.remove(group, node),
                None => return,
            }
        }
    }

    /// Gives the group to those with room that had it before or rank highest for it.
    fn fill(&mut self, group: usize, rank: Rank) {
        if !self.lacks(group) {
            return;
        }
        let roomy = (0..self.zone.len()).filter(|node| self.has_room(*node));
        let mut ranked: Vec<_> = roomy.map(|node| (self.was_on(group, node), rank(group, node), node)).collect();
        while self.lacks(group) {
            ranked.retain(|(.., node)| self.fits(group, None, *node));
            match ranked.iter().max() {
                Some(&(.., node)) => self.add(group, node),
                None => return,
            }
        }
    }

    /// Gives a node with room, from those with too much, the groups it ranks highest for.
    fn pull(&mut self, to: usize, rank: Rank) {
        if !self.has_room(to) {
            return;
        }
        let over = |group: &usize| self.on[*group].iter().any(|node| self.is_over(*node));
        let mut groups: Vec<usize> = (0..self.on.len()).filter(over).collect();
        groups.sort_by_cached_key(|group| Reverse((self.was_on(*group, to), rank(*group, to))));
        for group in groups {
            if !self.has_room(to) {
                return;
            }
            let givers = self.on[group].iter().copied();
            let givers = givers.filter(|from| self.is_over(*from) && self.fits(group, Some(*from), to));
            if let Some(from) = givers.max_by_key(|from| self.holds[*from].len() - self.quota[*from]) {
                self.remove(group, from);
                self.add(group, to);
            }
        }
    }

    fn complete(&mut self, group: usize) {
        while self.lacks(group) && self.chain(Start::Group(group)) {}
    }

    /// Moves replicas along the shortest chain that ends at a node with room. If it can, it moves none that would stay.
    fn chain(&mut self, start: Start) -> bool {
        self.chain_of(start, true) || self.chain_of(start, false)
    }

    fn chain_of(&mut self, start: Start, only_new: bool) -> bool {
        let mut steps: Vec<Option<Step>> = vec![None; self.zone.len()];
        let mut unseen: Vec<usize> = (0..self.zone.len()).collect();
        let mut queue = VecDeque::new();
        match start {
            Start::Group(group) => {
                let (seen, rest): (Vec<usize>, _) = unseen.iter().partition(|node| self.fits(group, None, **node));
                seen.iter().for_each(|node| steps[*node] = Some(Step { group, from: None }));
                (queue, unseen) = (seen.into(), rest);
            }
            Start::Node(node) => {
                unseen.retain(|other| *other != node);
                queue.push_back(node);
            }
        }
        while let Some(node) = queue.pop_front() {
            if self.has_room(node) {
                self.walk_back(&steps, node);
                return true;
            }
            let first = matches!(start, Start::Node(start) if start == node);
            for &group in &self.holds[node] {
                if only_new && !first && self.was_on(group, node) {
                    continue;
                }
                unseen.retain(|to| {
                    let reached = self.fits(group, Some(node), *to);
                    if reached {
                        steps[*to] = Some(Step { group, from: Some(node) });
                        queue.push_back(*to);
                    }
                    !reached
                });
            }
        }
        false
    }

    /// Makes the chain's moves, its last one first.
    fn walk_back(&mut self, steps: &[Option<Step>], end: usize) {
        let mut to = end;
        while let Some(Step { group, from }) = steps[to] {
            if let Some(from) = from {
                self.remove(group, from);
            }
            self.add(group, to);
            match from {
                Some(from) => to = from,
                None => return,
            }
        }
    }
}
