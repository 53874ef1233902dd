//! What becomes of each command: refused, answered at once, or sent; and what Ridge sends and does beside.

use bytes::Bytes;

use super::{
    expiry,
    key_locking::{self, Name, Names, Script},
    question::Form,
};
use crate::{
    edge::batch::Words,
    error::ApiError,
    policy::{
        Allowed, Policy, Refusal,
        acl::Acl,
        command_table::{Entry, READONLY, lookup},
        namespaces::Namespaces,
        refused,
    },
    redis::{Command, Failure, Pipeline, Reply, Safety},
};

/// What the gateway lets through of a command that has been looked up: everything but what cannot work there. The rest is for
/// the ACL to say.
struct Gateway(Option<&'static Entry>);

impl Policy for Gateway {
    fn admit(&self, words: &mut Words) -> Result<Option<&'static Entry>, Refusal> {
        match refused::reason(words) {
            Some(reason) => Err(Refusal::Denied(refused::text(words, reason))),
            None => Ok(self.0),
        }
    }
}

/// What the commands are judged by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// The rules of the caller's key.
    pub(super) acl: Option<&'a Acl>,
    /// Which keys expire.
    pub(super) namespaces: &'a Namespaces,
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
    /// Redis's name of the script gives way to its caller's.
    Loaded {
        known: Bytes,
        real: Bytes,
    },
    /// If Redis does not know the script, the reply at this place may say by which name it does.
    Called {
        sha: Bytes,
        answer: usize,
    },
}

/// The commands of one request, judged.
pub(super) struct Plan<'a> {
    rules: Rules<'a>,
    form: Form,
    steps: Vec<Step>,
    pipeline: Pipeline,
    /// Whether other words or more commands are sent than were asked.
    is_changed: bool,
    /// Whether expiries are among them.
    has_expiries: bool,
    denials: usize,
    safety: Safety,
}

impl<'a> Plan<'a> {
    /// Judges each command.
    pub(super) fn of(form: Form, commands: Vec<Words>, rules: Rules<'a>) -> Self {
        let steps = Vec::with_capacity(commands.len());
        let pipeline = Pipeline::with_capacity(commands.len());
        let mut plan = Self {
            rules,
            form,
            steps,
            pipeline,
            is_changed: false,
            has_expiries: false,
            denials: 0,
            safety: Safety::Read,
        };
        for words in commands {
            let step = plan.judge(words).unwrap_or_else(|refusal| plan.refuse(refusal));
            plan.steps.push(step);
        }
        plan
    }

    fn judge(&mut self, mut words: Words) -> Result<Step, Refusal> {
        let entry = lookup(&words);
        if refused::is_set_info(entry, &words) {
            return Ok(Step::Answered(Reply::Status(Bytes::from_static(b"OK"))));
        }
        let length = words.len();
        let expiries = entry.map(|entry| expiry::add(entry, &mut words, self.rules.namespaces)).unwrap_or_default();
        let script = self.rules.names.and_then(|names| key_locking::prepare(entry?, &mut words, names));
        self.is_changed |= words.len() > length || !expiries.is_empty();
        self.has_expiries |= !expiries.is_empty();

        let allowed = Allowed::judge(&Gateway(entry), self.rules.acl, words)?;
        if !entry.is_some_and(|entry| entry.is(READONLY)) {
            self.safety = Safety::Write;
        }
        let is_filtered = allowed.is_filtered();
        let place = self.pipeline.len();
        self.pipeline.push(allowed);
        expiries.into_iter().for_each(|expire| self.pipeline.push(expire));
        let after = match script {
            Some(script) => self.follow(script, entry),
            None if is_filtered => After::Filter,
            None => After::Nothing,
        };
        Ok(Step::Sent(place, after))
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        self.denials += usize::from(matches!(refusal, Refusal::Denied(_)));
        Step::Answered(Reply::Error(refusal.into_text()))
    }

    /// How many commands the caller may not run.
    pub(super) fn denials(&self) -> usize {
        self.denials
    }

    /// What is sent behind a command that loads or calls a script.
    fn follow(&mut self, script: Script, entry: Option<&Entry>) -> After {
        self.is_changed = true;
        let answer = self.pipeline.len();
        match script {
            Script::Loaded(known, real) => {
                self.pipeline.push(key_locking::note(&known, &real));
                // Whatever becomes of it: the text alone says which names it has, and what follows may call it.
                if let Some(names) = self.rules.names {
                    names.remember(known.clone(), Name::Other(real.clone()));
                }
                let is_name_asked = entry.is_some_and(|entry| entry.name == "SCRIPT|LOAD");
                if is_name_asked { After::Loaded { known, real } } else { After::Nothing }
            }
            Script::Unknown(sha) => {
                // Where others follow, the names have been learnt, and nobody knows another.
                if self.form == Form::Command {
                    self.pipeline.push(key_locking::ask(&sha));
                }
                After::Called { sha, answer }
            }
        }
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
        !self.is_changed && self.steps.iter().all(|step| matches!(step, Step::Sent(_, After::Nothing)))
    }

    /// Of a request that is not passed on as it came, a REST backend takes text only.
    ///
    /// # Errors
    /// 400 with the index of the command that holds other bytes.
    pub(super) fn refuse_bytes(&self) -> Result<(), ApiError> {
        let is_text = |command: &Command| command.args().iter().all(|word| std::str::from_utf8(word).is_ok());
        let place = self.pipeline.commands().iter().position(|command| !is_text(command));
        let index = |place| self.steps.iter().rposition(|step| matches!(step, Step::Sent(sent, _) if *sent <= place));
        match place.and_then(index) {
            None => Ok(()),
            Some(index) => Err(ApiError::bad_request(format!("Command {index}: it holds bytes that are not UTF-8"))),
        }
    }

    /// Whether replies are read before they are passed on.
    pub(super) fn looks_at_replies(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Sent(_, After::Filter)))
    }

    /// Whether what is sent is one transaction: no key that one command has written may be left without its expiry.
    pub(super) fn is_atomic(&self) -> bool {
        self.form == Form::Transaction || (self.form == Form::Command && self.has_expiries)
    }

    /// What is sent.
    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What happens if it is sent twice.
    pub(super) fn safety(&self) -> Safety {
        self.safety
    }

    /// The same once more, by the name that Redis knows the script by, if the replies say so.
    pub(super) fn by_other_name(&self, replies: &[Reply]) -> Option<Pipeline> {
        let [Step::Sent(place, After::Called { sha, answer })] = self.steps.as_slice() else { return None };
        let (Reply::Error(text), Reply::String(real)) = (replies.get(*place)?, replies.get(*answer)?) else {
            return None;
        };
        if !text.starts_with(NO_SCRIPT) {
            return None;
        }
        self.rules.names?.remember(sha.clone(), Name::Other(real.clone()));
        let mut pipeline = Pipeline::new();
        for (n, command) in self.pipeline.commands().iter().enumerate() {
            let command = command.clone();
            pipeline.push(if n == *place { command.with_word(1, real.clone()) } else { command });
        }
        Some(pipeline)
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
            Self::Loaded { known, real } => {
                if reply.as_bytes() == Some(&real) {
                    reply = Reply::String(known);
                }
            }
            Self::Called { sha, .. } => {
                // Redis has run the script by this name. Of one that failed that is not known: what is wrong with a call is
                // said before its script is looked for.
                if let (false, Some(names)) = (matches!(reply, Reply::Error(_)), rules.names) {
                    names.remember(sha, Name::Same);
                }
            }
        }
        reply
    }
}
