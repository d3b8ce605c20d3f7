//! Calls that other nodes send here: run here or answered with who leads instead, never sent on.

use super::entity::{Entity, RunEntity};
use super::groups::{Question, Said};
use super::message::{self, Asked, AskedGroups, Line, Of, Part, Parts, Remote, Reply, Told};
use super::mixed::Codec;
use super::tries::Miss;
use super::{Router, ServiceSeat, no_leader};
use crate::call::Call;
use crate::outcome::OutcomeRequest;
use bytes::Bytes;
use sdk::runtime::Run;
use sdk::{Endpoint, Error};
use std::time::{Duration, Instant};
use wire::error::reasons;
use wire::frame::Trace;
use wire::ids::{GroupId, NodeId};
use wire::rpc::{Body, RequestId};

impl Router {
    /// Answers what the router of node `from` sent through [`crate::peers::Peers::call`]; `time_left` of its call (P14).
    pub fn remote(
        &self,
        from: NodeId,
        body: Bytes,
        time_left: Duration,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send + 'static {
        let (router, deadline) = (self.clone(), Instant::now() + time_left);
        async move {
            match wire::endpoint::decode(&body)? {
                Remote::Command(asked) => message::encode(&router.serve(asked, deadline, false).await),
                Remote::Query(asked) => message::encode(&router.serve(asked, deadline, true).await),
                Remote::Gather(asked) => router.serve_lines(asked, deadline).await,
                Remote::Kept(asked) => router.serve_kept(asked, deadline, false).await,
                Remote::Fence(asked) => router.serve_kept(asked, deadline, true).await,
                Remote::Lease(incarnation) => {
                    let what = router.lease_here(from, incarnation).await;
                    message::encode(&router.told(GroupId::META, what))
                }
            }
        }
    }

    async fn serve(&self, asked: Asked, deadline: Instant, reads: bool) -> Told<Reply> {
        let group = self.inner.group_of(&asked.of.account, &asked.of.service, &asked.entity);
        let what = self.serve_entity(asked, group, deadline, reads).await;
        self.told(group, what)
    }

    async fn serve_entity(&self, asked: Asked, group: GroupId, deadline: Instant, reads: bool) -> Result<Reply, Error> {
        let Asked { of, request_id, entity } = asked;
        let seat = self.seat_of(&of)?;
        let (endpoint, run) = seat.endpoint(&of.endpoint)?;
        let run = match run {
            Run::Command(run) if !reads => RunEntity::Command(run.clone()),
            Run::Query(run) if reads => RunEntity::Query(run.clone()),
            _ => {
                let detail = format!("{} is of another kind on this node", endpoint.id());
                return Err(reasons::NO_SUCH_ENDPOINT.refuse(detail));
            }
        };
        let (call, codec) = call(seat, of, endpoint, request_id, deadline)?;
        if !reads && !self.inner.leads(group) {
            return Err(no_leader());
        }
        if deadline <= Instant::now() {
            return Err(reasons::DEADLINE.refuse("the call's time was over before it ran"));
        }
        let _admitted = self.inner.admission.admit(&call.account, call.body.len())?;
        let asked = Entity { seat, call, entity: entity.into(), group, run };
        let answered = self.entity_here(&asked, deadline).await.map_err(|miss| miss.error)?;
        Ok(Reply { body: seat.reply_out(endpoint, &answered.reply, codec)?, stale: answered.stale })
    }

    async fn serve_lines(&self, AskedGroups { of, groups }: AskedGroups, deadline: Instant) -> Result<Bytes, Error> {
        let prepared = self.seat_of(&of).and_then(|seat| {
            let (endpoint, _) = seat.endpoint(&of.endpoint)?;
            let (call, codec) = call(seat, of, endpoint, RequestId::None, deadline)?;
            Ok((seat, call, codec))
        });
        let (seat, call, codec) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.nothing(&groups, &error),
        };
        let mut said = self.groups_here(Question::Lines(seat), &call, groups, deadline).await;
        if let Run::Gather { wanted, .. } = seat.endpoint(call.endpoint.name)?.1 {
            trim(&mut said, wanted(&call.body)?.0 + 1);
        }
        for (_, said) in &mut said {
            let Ok((Part::Lines(lines), _)) = said else { continue };
            if let Err(error) = seat.items_out(&call.endpoint, lines, codec) {
                *said = Err(Miss::said(error, None, true));
            }
        }
        self.parts(said, false)
    }

    async fn serve_kept(
        &self,
        AskedGroups { of, groups }: AskedGroups,
        deadline: Instant,
        fence: bool,
    ) -> Result<Bytes, Error> {
        let Body::Binary { bytes, .. } = of.body else {
            return Err(reasons::BAD_BODY.refuse("an outcome is asked for in binary"));
        };
        let asked: OutcomeRequest = wire::endpoint::decode(&bytes.0)?;
        let call = Call {
            account: of.account.as_str().into(),
            endpoint: Endpoint::of::<OutcomeRequest>(),
            request_id: RequestId::None,
            deadline,
            trace: Trace { trace: of.trace, span: of.span },
            body: bytes.0.into(),
            stale_ok: false,
        };
        // Before the rows: what is over by now lies there.
        let running = self.inner.under_way.has(&call.account, &asked.id);
        let question = if fence { Question::Fence } else { Question::Kept };
        let groups = groups.into_iter();
        let (led, others): (Vec<_>, Vec<_>) = groups.partition(|group| !fence || self.inner.leads(*group));
        let mut said = self.groups_here(question, &call, led, deadline).await;
        said.extend(others.into_iter().map(|group| (group, Err(Miss::said(no_leader(), None, true)))));
        self.parts(said, running)
    }

    fn seat_of(&self, of: &Of) -> Result<&ServiceSeat, Error> {
        self.inner.services.get(of.service.as_str()).ok_or_else(|| {
            reasons::NO_SUCH_SERVICE.refuse(format!("this node's program has no service {:?}", of.service))
        })
    }

    fn nothing(&self, groups: &[GroupId], error: &Error) -> Result<Bytes, Error> {
        let said = groups.iter().map(|group| (*group, Err(Miss::said(error.clone(), None, true))));
        self.parts(said.collect(), false)
    }

    fn parts(&self, said: Vec<(GroupId, Said)>, running: bool) -> Result<Bytes, Error> {
        let told =
            |(group, said): (GroupId, Result<_, Miss>)| (group, self.told(group, said.map_err(|miss| miss.error)));
        message::encode(&Parts { groups: said.into_iter().map(told).collect(), running })
    }

    /// With who leads instead, if that is why.
    fn told<T>(&self, group: GroupId, what: Result<T, Error>) -> Told<T> {
        let leader = if what.is_err() { self.inner.leader_of(group) } else { None };
        Told { what, leader: leader.filter(|node| *node != self.inner.me) }
    }
}

/// Of all groups' lines together no more than `most` can be on the page: the others need not travel.
fn trim(said: &mut [(GroupId, Said)], most: usize) {
    fn lines(said: &mut (GroupId, Said)) -> Option<&mut Vec<Line>> {
        match &mut said.1 {
            Ok((Part::Lines(lines), _)) => Some(lines),
            _ => None,
        }
    }
    let mut entities: Vec<String> =
        said.iter_mut().filter_map(lines).flatten().map(|line| line.entity.clone()).collect();
    if entities.len() <= most || most == 0 {
        return;
    }
    let (_, last, _) = entities.select_nth_unstable(most - 1);
    said.iter_mut().filter_map(lines).for_each(|lines| lines.retain(|line| line.entity <= *last));
}

fn call(
    seat: &ServiceSeat,
    of: Of,
    endpoint: &Endpoint,
    request_id: RequestId,
    deadline: Instant,
) -> Result<(Call, Codec), Error> {
    let (body, codec) = seat.request_in(endpoint, of.body)?;
    let trace = Trace { trace: of.trace, span: of.span };
    let (account, endpoint) = (of.account.as_str().into(), endpoint.clone());
    Ok((Call { account, endpoint, request_id, deadline, trace, body, stale_ok: of.stale_ok }, codec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_cannot_be_on_the_page_stay() {
        let part = |names: &[&str]| {
            let line = |name: &&str| Line { entity: name.to_string(), item: wire::Bytes(vec![]) };
            (GroupId(1), Ok((Part::Lines(names.iter().map(line).collect()), false)))
        };
        let left = |most| {
            let error = || (GroupId(3), Err(Miss::said(no_leader(), None, true)));
            let mut said = [part(&["a", "d", "g"]), error(), part(&["b", "c", "h"]), part(&[])];
            trim(&mut said, most);
            let lines = said.into_iter().filter_map(|(_, said)| said.ok()).map(|(part, _)| match part {
                Part::Lines(lines) => lines.into_iter().map(|line| line.entity).collect::<String>(),
                _ => panic!("no lines"),
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(left(3), ["a", "bc", ""]);
        assert_eq!(left(5), ["adg", "bc", ""]);
        assert_eq!(left(6), ["adg", "bch", ""]);
        assert_eq!(left(7), ["adg", "bch", ""]);
    }
}
