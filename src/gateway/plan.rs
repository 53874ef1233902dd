//! What becomes of each command: refused, answered at once, or sent; and what Ridge does beside.

use bytes::Bytes;

use crate::{
    edge::batch::Words,
    error::ApiError,
    policy::{
        Allowed, Policy,
        acl::Acl,
        command_table::{Entry, READONLY, lookup},
        refused,
    },
    redis::{Failure, Pipeline, Reply, Safety},
};

/// What the gateway lets through: everything but what cannot work there. The rest is for the ACL to say.
struct Gateway;

impl Policy for Gateway {
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, String> {
        match refused::reason(words) {
            Some(reason) => Err(refused::text(words, reason)),
            None => Ok(lookup(words)),
        }
    }
}

/// What becomes of one command.
enum Step {
    /// It is not sent: this is its answer.
    Answered(Reply),
    /// It is sent, and its reply stands at this place among all.
    Sent(usize, After),
}

/// What is done to a reply.
enum After {
    Nothing,
    /// Keys that the caller may not see are taken out of it.
    Filter,
}

/// The commands of one request, judged.
pub(super) struct Plan {
    steps: Vec<Step>,
    pipeline: Pipeline,
    safety: Safety,
}

impl Plan {
    /// Judges each command.
    pub(super) fn of(commands: Vec<Words>, acl: Option<&Acl>) -> Self {
        let mut plan =
            Self { steps: Vec::with_capacity(commands.len()), pipeline: Pipeline::new(), safety: Safety::Read };
        for words in commands {
            let step = plan.judge(words, acl).unwrap_or_else(|refusal| Step::Answered(Reply::Error(refusal)));
            plan.steps.push(step);
        }
        plan
    }

    fn judge(&mut self, words: Words, acl: Option<&Acl>) -> Result<Step, String> {
        if refused::is_set_info(lookup(&words), &words) {
            return Ok(Step::Answered(Reply::Status(Bytes::from_static(b"OK"))));
        }
        let allowed = Allowed::judge(&Gateway, acl, words)?;
        if !allowed.entry().is_some_and(|entry| entry.is(READONLY)) {
            self.safety = Safety::Write;
        }
        let after = if allowed.is_filtered() { After::Filter } else { After::Nothing };
        let place = self.pipeline.len();
        self.pipeline.push(allowed);
        Ok(Step::Sent(place, after))
    }

    /// A transaction of which one command is refused is none.
    ///
    /// # Errors
    /// 400 with the first refusal.
    pub(super) fn refuse_whole(&self) -> Result<(), ApiError> {
        let refusal = self.steps.iter().find_map(|step| match step {
            Step::Answered(Reply::Error(text)) => Some(text.clone()),
            _ => None,
        });
        refusal.map_or(Ok(()), |text| Err(ApiError::Command(text)))
    }

    /// Whether what is sent is just what was asked, and the answer is just what comes back.
    pub(super) fn is_untouched(&self) -> bool {
        !self.adds_commands() && self.steps.iter().all(|step| matches!(step, Step::Sent(_, After::Nothing)))
    }

    /// Whether replies are read before they are passed on.
    pub(super) fn looks_at_replies(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Sent(_, After::Filter)))
    }

    /// Whether more is sent than was asked.
    pub(super) fn adds_commands(&self) -> bool {
        self.pipeline.len() > self.steps.len()
    }

    /// What is sent.
    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What happens if it is sent twice.
    pub(super) fn safety(&self) -> Safety {
        self.safety
    }

    /// One result a command, in order.
    ///
    /// # Errors
    /// 502 if there are fewer replies than commands.
    pub(super) fn results(self, replies: Vec<Reply>, acl: Option<&Acl>) -> Result<Vec<Reply>, ApiError> {
        let mut replies: Vec<Option<Reply>> = replies.into_iter().map(Some).collect();
        let mut results = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            results.push(match step {
                Step::Answered(reply) => reply,
                Step::Sent(place, after) => {
                    let reply = replies.get_mut(place).and_then(Option::take);
                    after.apply(reply.ok_or(Failure::Nonsense("too few replies"))?, acl)
                }
            });
        }
        Ok(results)
    }
}

impl After {
    fn apply(&self, reply: Reply, acl: Option<&Acl>) -> Reply {
        match (self, reply, acl) {
            (Self::Filter, Reply::Array(mut cursor_and_keys), Some(acl)) => {
                if let Some(Reply::Array(keys)) = cursor_and_keys.last_mut() {
                    keys.retain(|key| key.as_bytes().is_some_and(|key| acl.may_list_key(key)));
                }
                Reply::Array(cursor_and_keys)
            }
            (_, reply, _) => reply,
        }
    }
}
