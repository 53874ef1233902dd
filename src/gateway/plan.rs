//! What becomes of each command: refused, answered at once, or sent; and what Ridge sends and does beside.

use bytes::Bytes;

use super::{
    key_locking::{self, Name, Names, Script},
    question::Form,
};
use crate::{
    edge::batch::Words,
    error::ApiError,
    policy::{
        Allowed, Policy,
        acl::Acl,
        command_table::{Entry, READONLY, lookup},
        refused,
    },
    redis::{Command, Failure, Pipeline, Reply, Safety},
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

/// What the commands are judged by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The rules of the caller's key.
    pub(super) acl: Option<&'a Acl>,
    /// The names of scripts, where Redis does not know the flag that changes them.
    pub(super) names: Option<&'a Names>,
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
    /// The script has these two names: the caller's, and Redis's.
    Loaded {
        known: Bytes,
        real: Bytes,
        is_name_asked: bool,
    },
    /// If Redis does not know the script, the reply behind it may say by which name it does.
    Called(Bytes),
}

/// The commands of one request, judged.
pub(super) struct Plan<'a> {
    rules: Rules<'a>,
    form: Form,
    steps: Vec<Step>,
    pipeline: Pipeline,
    safety: Safety,
}

impl<'a> Plan<'a> {
    /// Judges each command.
    pub(super) fn of(form: Form, commands: Vec<Words>, rules: Rules<'a>) -> Self {
        let steps = Vec::with_capacity(commands.len());
        let mut plan = Self { rules, form, steps, pipeline: Pipeline::new(), safety: Safety::Read };
        for words in commands {
            let step = plan.judge(words).unwrap_or_else(|refusal| Step::Answered(Reply::Error(refusal)));
            plan.steps.push(step);
        }
        plan
    }

    fn judge(&mut self, mut words: Words) -> Result<Step, String> {
        if refused::is_set_info(lookup(&words), &words) {
            return Ok(Step::Answered(Reply::Status(Bytes::from_static(b"OK"))));
        }
        let script = self.rules.names.and_then(|names| key_locking::prepare(&mut words, names));
        let allowed = Allowed::judge(&Gateway, self.rules.acl, words)?;
        if !allowed.entry().is_some_and(|entry| entry.is(READONLY)) {
            self.safety = Safety::Write;
        }
        let is_name_asked = allowed.entry().is_some_and(|entry| entry.name == "SCRIPT|LOAD");
        let mut after = if allowed.is_filtered() { After::Filter } else { After::Nothing };
        let place = self.pipeline.len();
        self.pipeline.push(allowed);
        match script {
            Some(Script::Loaded(known, real)) => {
                self.pipeline.push(key_locking::note(&known, &real));
                after = After::Loaded { known, real, is_name_asked };
            }
            Some(Script::Unknown(sha)) => {
                // Where others follow, the names have been learnt, and nobody knows another.
                if self.form == Form::Command {
                    self.pipeline.push(key_locking::ask(&sha));
                }
                after = After::Called(sha);
            }
            None => {}
        }
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
        let asked_only = self.pipeline.len() == self.steps.len();
        asked_only && self.steps.iter().all(|step| matches!(step, Step::Sent(_, After::Nothing)))
    }

    /// Whether replies are read before they are passed on.
    pub(super) fn looks_at_replies(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Sent(_, After::Filter)))
    }

    /// Whether what is sent is one transaction.
    pub(super) fn is_atomic(&self) -> bool {
        self.form == Form::Transaction
    }

    /// What is sent.
    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What happens if it is sent twice.
    pub(super) fn safety(&self) -> Safety {
        self.safety
    }

    /// The one command once more, by the name that Redis knows the script by, if the replies say so.
    pub(super) fn by_other_name(&self, replies: &[Reply]) -> Option<Pipeline> {
        let ([Step::Sent(place, After::Called(sha))], [Reply::Error(text), Reply::String(real)]) =
            (self.steps.as_slice(), replies)
        else {
            return None;
        };
        if !text.starts_with(NO_SCRIPT) {
            return None;
        }
        self.rules.names?.remember(sha.clone(), Name::Other(real.clone()));
        let command: Command = self.pipeline.commands().get(*place)?.clone();
        Some(command.with_word(1, real.clone()).into())
    }

    /// One result a command, in order.
    ///
    /// # Errors
    /// 502 if there are fewer replies than commands.
    pub(super) fn results(self, replies: Vec<Reply>) -> Result<Vec<Reply>, ApiError> {
        let mut replies: Vec<Option<Reply>> = replies.into_iter().map(Some).collect();
        let mut results = Vec::with_capacity(self.steps.len());
        for step in self.steps {
            results.push(match step {
                Step::Answered(reply) => reply,
                Step::Sent(place, after) => {
                    let reply = replies.get_mut(place).and_then(Option::take);
                    after.apply(reply.ok_or(Failure::Nonsense("too few replies"))?, self.rules)
                }
            });
        }
        Ok(results)
    }
}

/// How an error begins that says that there is no script of that name.
const NO_SCRIPT: &str = "NOSCRIPT";

impl After {
    fn apply(self, mut reply: Reply, rules: Rules<'_>) -> Reply {
        match self {
            Self::Nothing => {}
            Self::Filter => {
                if let (Reply::Array(cursor_and_keys), Some(acl)) = (&mut reply, rules.acl)
                    && let Some(Reply::Array(keys)) = cursor_and_keys.last_mut()
                {
                    keys.retain(|key| key.as_bytes().is_some_and(|key| acl.may_list_key(key)));
                }
            }
            Self::Loaded { known, real, is_name_asked } => {
                if is_name_asked && reply.as_bytes() == Some(&real) {
                    reply = Reply::String(known.clone());
                }
                remember(rules, &reply, known, Name::Other(real));
            }
            Self::Called(sha) => remember(rules, &reply, sha, Name::Same),
        }
        reply
    }
}

/// Remembers the name of a script that Redis has just run or loaded by it.
fn remember(rules: Rules<'_>, reply: &Reply, sha: Bytes, name: Name) {
    let is_unknown = matches!(reply, Reply::Error(text) if text.starts_with(NO_SCRIPT));
    if let (false, Some(names)) = (is_unknown, rules.names) {
        names.remember(sha, name);
    }
}
