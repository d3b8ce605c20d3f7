//! Fair shares, and whole numbers of them.

use super::layout::Rule;
use std::cmp::Reverse;

/// A share as it is: `over / under`, never rounded.
#[derive(Clone, Copy, Debug)]
struct Share {
    over: u128,
    under: u128,
}

impl Share {
    fn floor(self) -> usize {
        (self.over / self.under) as usize
    }

    fn is_whole(self) -> bool {
        self.over.is_multiple_of(self.under)
    }
}

/// Someone who gets a part of a whole: by weight, within bounds.
struct Part {
    weight: u128,
    least: u128,
    most: u128,
}

/// How many replicas each node shall hold: its share rounded down or up, and every zone its own.
///
/// Of the many ways to round it takes one that leaves the most where it is: whoever holds a share rounded up keeps it.
pub fn quotas(rule: &Rule, groups: usize, zone: &[usize], weight: &[u32], held: &[usize]) -> Vec<usize> {
    let (mut zones, all) = (vec![vec![]; rule.zones], groups as u128);
    zone.iter().enumerate().for_each(|(node, zone)| zones[*zone].push(node));
    let part = |members: &Vec<usize>| {
        let weight = members.iter().map(|node| u128::from(weight[*node])).sum();
        match rule.one_a_zone() {
            true => Part { weight, least: 0, most: all },
            false => Part { weight, least: all, most: all * members.len() as u128 },
        }
    };
    let whole = Share { over: all * rule.replication as u128, under: 1 };
    let of_zones = split(whole, &zones.iter().map(part).collect::<Vec<_>>());
    let mut of_nodes = vec![whole; zone.len()];
    for (members, share) in zones.iter().zip(&of_zones) {
        let part = |node: &usize| Part { weight: u128::from(weight[*node]), least: 0, most: all };
        let shares = split(*share, &members.iter().map(part).collect::<Vec<_>>());
        members.iter().zip(shares).for_each(|(node, share)| of_nodes[*node] = share);
    }
    // A zone's odd replicas: what it has above its nodes' shares rounded down.
    let keen = |node: usize| !of_nodes[node].is_whole() && held[node] > of_nodes[node].floor();
    let odd = |zone: usize| of_zones[zone].floor() - zones[zone].iter().map(|n| of_nodes[*n].floor()).sum::<usize>();
    let mut odds: Vec<usize> = (0..rule.zones).map(odd).collect();
    let rounded_down: usize = of_zones.iter().map(|share| share.floor()).sum();
    let mut broken: Vec<usize> = (0..rule.zones).filter(|zone| !of_zones[*zone].is_whole()).collect();
    let wants_more = |zone: usize| zones[zone].iter().filter(|node| keen(**node)).count() > odds[zone];
    broken.sort_by_key(|zone| Reverse(wants_more(*zone)));
    broken.truncate(groups * rule.replication - rounded_down);
    broken.into_iter().for_each(|zone| odds[zone] += 1);
    let mut quotas: Vec<usize> = of_nodes.iter().map(|share| share.floor()).collect();
    for (members, odd) in zones.iter().zip(odds) {
        let mut broken: Vec<usize> = members.iter().copied().filter(|node| !of_nodes[*node].is_whole()).collect();
        broken.sort_by_key(|node| Reverse((keen(*node), held[*node])));
        broken.into_iter().take(odd).for_each(|node| quotas[node] += 1);
    }
    quotas
}

/// Parts of `whole` by weight, none below its least or above its most; the bounds leave room for the whole.
fn split(whole: Share, parts: &[Part]) -> Vec<Share> {
    let mut shares: Vec<Option<Share>> = parts.iter().map(|_| None).collect();
    let mut rest = whole.over;
    loop {
        let open: Vec<usize> = (0..parts.len()).filter(|n| shares[*n].is_none()).collect();
        let weights: u128 = open.iter().map(|n| parts[*n].weight).sum();
        // All of it in units of 1 / (under × weights).
        let at = |n: usize| rest * parts[n].weight;
        let bound = |bound: u128| bound * whole.under * weights;
        let above: u128 = open.iter().map(|n| at(*n).saturating_sub(bound(parts[*n].most))).sum();
        let below: u128 = open.iter().map(|n| bound(parts[*n].least).saturating_sub(at(*n))).sum();
        if above == 0 && below == 0 {
            open.iter().for_each(|n| shares[*n] = Some(Share { over: at(*n), under: whole.under * weights }));
            return shares.into_iter().flatten().collect();
        }
        // What those above have to give raises all others, and the other way round: the greater side is where it will end.
        let mut settled = 0;
        for n in open {
            let Part { least, most, .. } = parts[n];
            let to = match above >= below {
                true if at(n) > bound(most) => most,
                false if at(n) < bound(least) => least,
                _ => continue,
            };
            shares[n] = Some(Share { over: to, under: 1 });
            settled += to * whole.under;
        }
        rest -= settled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(whole: u128, parts: &[(u128, u128, u128)]) -> Vec<(u128, u128)> {
        let parts: Vec<Part> = parts.iter().map(|&(weight, least, most)| Part { weight, least, most }).collect();
        let shares = split(Share { over: whole, under: 1 }, &parts);
        shares.into_iter().map(|share| (share.over * 12 / share.under, 12)).collect()
    }

    #[test]
    fn shares_go_by_weight_within_bounds() {
        let twelfths = |all: &[u128]| all.iter().map(|n| (*n, 12)).collect::<Vec<_>>();
        assert_eq!(parts(10, &[(1, 0, 10), (2, 0, 10), (1, 0, 10)]), twelfths(&[30, 60, 30]));
        // One is full; the others share what it cannot take.
        assert_eq!(parts(10, &[(8, 0, 4), (2, 0, 10), (1, 0, 10)]), twelfths(&[48, 48, 24]));
        // One has a right to more than its weight.
        assert_eq!(parts(10, &[(1, 4, 10), (4, 0, 10), (5, 0, 10)]), twelfths(&[48, 32, 40]));
        // Both at once.
        assert_eq!(parts(10, &[(1, 3, 10), (9, 0, 5), (1, 0, 10)]), twelfths(&[36, 60, 24]));
    }
}
