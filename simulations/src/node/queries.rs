//! Queries, as the router runs them: on the spot for the only voter, else behind a read round (P3, P4).

use super::calls::Reply;
use super::world::World;
use actors::host::{Committed, group_time};
use sdk::View;
use sdk::runtime::{Run, Scope};
use tokio::sync::oneshot;
use wire::error::reasons;
use wire::ids::GroupId;

impl World {
    pub(super) fn query(&mut self, number: u64, group: GroupId, to: oneshot::Sender<Reply>) -> Result<(), String> {
        self.counts.queries += 1;
        let handle = self.living().groups[&group].clone();
        if self.rng.chance(500)
            && let Some(term) = handle.sole()
        {
            let reply = self.look(number, group)?;
            if handle.sole() == Some(term) {
                // Whoever asked may be gone.
                let _ = to.send(reply);
                return Ok(());
            }
        }
        self.reads_made += 1;
        let (read, bag) = (self.reads_made, self.living().reads.clone());
        self.reads.insert(read, number);
        if let Some(attempt) = self.attempts.get_mut(&number) {
            attempt.to = Some(to);
        }
        handle.read(Box::new(move |answer| bag.put((read, answer.is_ok()))));
        Ok(())
    }

    /// Read rounds that ended.
    pub(super) fn hear_reads(&mut self) -> Result<(), String> {
        let Some(life) = &self.life else { return Ok(()) };
        for (read, held) in life.reads.take_all() {
            let Some(number) = self.reads.remove(&read) else { continue };
            let Some(attempt) = self.attempts.get_mut(&number) else { continue };
            let (Some(to), call) = (attempt.to.take(), attempt.call) else { continue };
            let call = &self.calls[call];
            let group = self.group_of(&call.account, call.endpoint.service, &call.entity);
            let reply = if held { self.look(number, group)? } else { Err(reasons::NO_LEADER.refuse("no leader")) };
            let _ = to.send(reply);
        }
        Ok(())
    }

    fn look(&mut self, number: u64, group: GroupId) -> Result<Reply, String> {
        let Some(call) = self.attempts.get(&number).map(|attempt| attempt.call) else {
            return Ok(Ok(bytes::Bytes::new()));
        };
        let now = self.group_time(group, self.calls[call].endpoint.service)?;
        let Some(attempt) = self.attempts.get_mut(&number) else { return Ok(Ok(bytes::Bytes::new())) };
        attempt.read_at = Some(now.0);
        let call = &self.calls[call];
        self.ask(group, &call.endpoint.clone(), &call.account.clone(), &call.entity.clone(), &call.body.clone(), now)
    }

    /// What a query takes for now.
    pub(super) fn group_time(&mut self, group: GroupId, service: &str) -> Result<sdk::Time, String> {
        let now = self.moment().time;
        let store = self.living().stores[&group].clone();
        let now = store.view(|rows| Ok(group_time(rows, service, now)));
        now.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }

    /// A query run on the rows as they are now.
    pub(super) fn ask(
        &mut self,
        group: GroupId,
        endpoint: &wire::Endpoint,
        account: &std::sync::Arc<str>,
        entity: &std::sync::Arc<str>,
        body: &[u8],
        now: sdk::Time,
    ) -> Result<Reply, String> {
        let service = super::life::service(endpoint.service);
        let Some((_, Run::Query(run))) = service.run(endpoint.name) else {
            return Err(format!("{} is no query", endpoint.id()));
        };
        let scope = Scope {
            account: account.clone(),
            service: endpoint.service,
            entity: entity.clone(),
            now,
            key: [3; 32],
            tables: service.tables().into(),
        };
        let store = self.living().stores[&group].clone();
        let reply = store.view(|rows| Ok(run(&View::new(scope, &Committed(rows)), body)));
        reply.map(|reply| reply.map(Into::into)).map_err(|error| format!("rows cannot be read: {error}"))
    }
}
