// SPDX-License-Identifier: GPL-2.0

//! A machine of a few CPUs on which flows of control use per-CPU cells.
//!
//! # What is modelled
//!
//! - Each CPU has a token and a body. The body is a number that each access increments.
//! - A flow is a task or an interrupt. An interrupt begins on any CPU, between any two steps of the
//!   code that runs there. It can be interrupted itself, and ends before the interrupted code
//!   continues. Between any two steps, a task may be preempted by another task of its CPU, and be
//!   moved to another CPU.
//! - A store waits in a buffer of its CPU and reaches memory some time later: in order
//!   ([`Memory::Ordered`], as on x86), or in any order, unless it has release order
//!   ([`Memory::Weak`]). A CPU sees its own stores at once. A locked instruction, and moving a
//!   task, wait for the buffer.
//!
//! Loads are not reordered, because an exchange between CPUs orders them, too.

/// The number of CPUs of the machine.
pub(crate) const CPUS: usize = 2;

/// The order in which stores reach memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// In the order of the program.
    Ordered,
    /// In any order, except for stores to the same word and stores with release order.
    Weak,
}

/// The protocol by which a token is taken and given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Take: a locked exchange of this CPU's word with 0. Give back: a store with release order to
    /// the word of the body.
    Exchange,

    // The protocols from here on are mistakes.
    /// Take by a load and a compare-and-exchange that is atomic only on this CPU. As on x86, it
    /// writes the word even if the comparison fails.
    LocalCompare,
    /// Take by a load and a store.
    LoadAndStore,
    /// Take by a load and a local compare-and-exchange of the word of the CPU that this was on.
    CompareElsewhere,
    /// Give back to the word of the CPU that this is on now.
    GiveBackHere,
    /// Give back by a store without release order.
    GiveBackUnordered,
    /// Give back before the body is written.
    GiveBackEarly,
    /// Forget to give back when another CPU has been reached.
    GiveBackOnlyAtHome,
    /// Like [`Self::Exchange`], but visitors take by a load and a store.
    VisitByStore,
}

/// A word of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Token(usize),
    Body(usize),
}

/// A store that has not reached memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Pending {
    word: Word,
    value: u8,
    release: bool,
}

/// The kind of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// A task, at first on this CPU.
    Task(usize),
    /// An interrupt, on any CPU.
    Interrupt,
    /// A task, at first on CPU 0, that takes the body of CPU 1, wherever it is itself.
    Visitor,
    /// A visitor that begins when CPU 1 has gone offline.
    Undertaker,
}

/// The next step of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Next {
    /// An interrupt comes, or a CPU goes offline.
    Begin,
    Take,
    Compare,
    TakeOf,
    LoadBody,
    StoreBody,
    GiveBack,
    End,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Flow {
    kind: Kind,
    cpu: usize,
    next: Next,
    rounds: u8,
    /// The value that was read from a token.
    seen: u8,
    /// The CPU that the flow was on at that time.
    was_on: usize,
    body: Option<usize>,
    value: u8,
}

/// Events on the path to a state. Tests check that all of them happen on some path.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// A body was given back from another CPU.
    pub(crate) afar: bool,
    /// A flow was turned away.
    pub(crate) turned_away: bool,
    /// A flow was turned away because of a visitor.
    pub(crate) by_visitor: bool,
}

/// The machine at a moment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Machine {
    flows: Vec<Flow>,
    interrupts: [Vec<usize>; CPUS],
    offline: [bool; CPUS],
    tokens: [u8; CPUS],
    bodies: [u8; CPUS],
    buffers: [Vec<Pending>; CPUS],
    /// The correct state of each body: its holder, and the number of accesses.
    holder: [Option<usize>; CPUS],
    accesses: [u8; CPUS],
    pub(crate) seen: Seen,
}

/// Something that may happen next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A flow makes a step.
    Step(usize),
    /// An interrupt comes to a CPU.
    Interrupt(usize, usize),
    /// A task is moved to a CPU.
    Move(usize, usize),
    /// A CPU's buffered store of this number reaches memory.
    Commit(usize, usize),
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Two flows hold one body.
    TwoHolders,
    /// All flows have ended, and a body can never be taken again.
    TokenLost,
    /// An access did not see the one before it.
    AccessLost,
    /// A flow was turned away from a body that no flow held.
    TurnedAwayFromFree,
}

/// The address of a CPU's body: not 0.
const fn address(cpu: usize) -> u8 {
    cpu as u8 + 1
}

impl Machine {
    /// Makes a machine. Each flow makes this many accesses.
    pub(crate) fn new(flows: &[(Kind, u8)]) -> Self {
        let flows = flows.iter().map(|&(kind, rounds)| Flow {
            kind,
            cpu: if let Kind::Task(cpu) = kind { cpu } else { 0 },
            next: match kind {
                Kind::Task(_) => Next::Take,
                Kind::Visitor => Next::TakeOf,
                Kind::Interrupt | Kind::Undertaker => Next::Begin,
            },
            rounds,
            seen: 0,
            was_on: 0,
            body: None,
            value: 0,
        });
        Self {
            flows: flows.collect(),
            interrupts: Default::default(),
            offline: [false; CPUS],
            tokens: std::array::from_fn(address),
            bodies: [0; CPUS],
            buffers: Default::default(),
            holder: [None; CPUS],
            accesses: [0; CPUS],
            seen: Seen::default(),
        }
    }

    fn word(&mut self, word: Word) -> &mut u8 {
        match word {
            Word::Token(cpu) => &mut self.tokens[cpu],
            Word::Body(cpu) => &mut self.bodies[cpu],
        }
    }

    fn load(&mut self, cpu: usize, word: Word) -> u8 {
        let own = self.buffers[cpu]
            .iter()
            .rev()
            .find(|pending| pending.word == word);
        own.map(|pending| pending.value).unwrap_or(*self.word(word))
    }

    fn store(&mut self, cpu: usize, word: Word, value: u8, release: bool) {
        self.buffers[cpu].push(Pending {
            word,
            value,
            release,
        });
    }

    /// A locked exchange. The CPU's buffer is empty.
    fn exchange(&mut self, word: Word, value: u8) -> u8 {
        std::mem::replace(self.word(word), value)
    }

    /// A compare-and-exchange that is atomic only on `cpu`: a load, and a store in any case.
    fn compare_locally(&mut self, cpu: usize, word: Word, old: u8, new: u8) -> u8 {
        let value = self.load(cpu, word);
        self.store(cpu, word, if value == old { new } else { value }, false);
        value
    }

    /// Whether the next step of a flow has to wait for the buffer of its CPU.
    fn is_locked(&self, flow: &Flow, protocol: Protocol) -> bool {
        match flow.next {
            Next::Take => matches!(protocol, Protocol::Exchange | Protocol::VisitByStore),
            Next::TakeOf => protocol != Protocol::VisitByStore,
            _ => false,
        }
    }

    /// All events that may happen next.
    pub(crate) fn events(&self, protocol: Protocol, memory: Memory) -> Vec<Event> {
        let mut events = Vec::new();
        for (number, flow) in self.flows.iter().enumerate() {
            match (flow.next, flow.kind) {
                (Next::End, _) => continue,
                (Next::Begin, Kind::Interrupt) => {
                    events.extend(
                        (0..CPUS)
                            .filter(|&cpu| !self.offline[cpu])
                            .map(|cpu| Event::Interrupt(number, cpu)),
                    );
                    continue;
                }
                // A CPU goes offline once its tasks have left, it serves no interrupt and has
                // nothing left to write.
                (Next::Begin, _) => {
                    let busy = self.flows.iter().any(|flow| {
                        flow.cpu == 1
                            && matches!(flow.kind, Kind::Task(_) | Kind::Visitor)
                            && flow.next != Next::End
                    });
                    if !busy && self.interrupts[1].is_empty() && self.buffers[1].is_empty() {
                        events.push(Event::Step(number));
                    }
                    continue;
                }
                _ => {}
            }
            let idle = self.buffers[flow.cpu].is_empty();
            let runs = match (flow.kind, self.interrupts[flow.cpu].last()) {
                (Kind::Interrupt, top) => top == Some(&number),
                (_, top) => top.is_none(),
            };
            if runs && (idle || !self.is_locked(flow, protocol)) {
                events.push(Event::Step(number));
            }
            // A task that is interrupted cannot be moved. A task that waits for the buffer could
            // have been moved before that.
            if runs && idle && matches!(flow.kind, Kind::Task(_) | Kind::Visitor) {
                events.extend(
                    (0..CPUS)
                        .filter(|&cpu| cpu != flow.cpu && !self.offline[cpu])
                        .map(|cpu| Event::Move(number, cpu)),
                );
            }
        }
        for (cpu, buffer) in self.buffers.iter().enumerate() {
            for (number, pending) in buffer.iter().enumerate() {
                let earlier = &buffer[..number];
                let may = match memory {
                    Memory::Ordered => earlier.is_empty(),
                    Memory::Weak if pending.release => earlier.is_empty(),
                    Memory::Weak => earlier.iter().all(|other| other.word != pending.word),
                };
                if may {
                    events.push(Event::Commit(cpu, number));
                }
            }
        }
        events
    }

    /// Makes an event happen.
    pub(crate) fn happen(&mut self, event: Event, protocol: Protocol) -> Result<(), Broken> {
        match event {
            Event::Commit(cpu, number) => {
                let pending = self.buffers[cpu].remove(number);
                *self.word(pending.word) = pending.value;
            }
            Event::Move(number, cpu) => self.flows[number].cpu = cpu,
            Event::Interrupt(number, cpu) => {
                self.interrupts[cpu].push(number);
                self.flows[number].cpu = cpu;
                self.flows[number].next = Next::Take;
            }
            Event::Step(number) => {
                let mut flow = self.flows[number].clone();
                let outcome = self.step(number, &mut flow, protocol);
                self.flows[number] = flow;
                outcome?;
            }
        }
        Ok(())
    }

    fn step(&mut self, number: usize, flow: &mut Flow, protocol: Protocol) -> Result<(), Broken> {
        let here = flow.cpu;
        match flow.next {
            Next::Begin => {
                self.offline[1] = true;
                flow.next = Next::TakeOf;
            }
            Next::TakeOf if self.is_locked(flow, protocol) => {
                match self.exchange(Word::Token(1), 0) {
                    0 => self.turned_away(flow, 1)?,
                    _ => self.taken(number, flow, 1)?,
                }
            }
            Next::TakeOf => {
                flow.seen = self.load(here, Word::Token(1));
                if flow.seen == 0 {
                    return self.turned_away(flow, 1);
                }
                flow.next = Next::Compare;
            }
            Next::Take if self.is_locked(flow, protocol) => {
                match self.exchange(Word::Token(here), 0) {
                    0 => self.turned_away(flow, here)?,
                    token => self.taken(number, flow, usize::from(token) - 1)?,
                }
            }
            Next::Take => {
                flow.seen = self.load(here, Word::Token(here));
                flow.was_on = here;
                if flow.seen == 0 {
                    return self.turned_away(flow, here);
                }
                flow.next = Next::Compare;
            }
            Next::Compare => {
                let word = match protocol {
                    Protocol::CompareElsewhere => Word::Token(flow.was_on),
                    Protocol::VisitByStore => Word::Token(1),
                    _ => Word::Token(here),
                };
                if matches!(protocol, Protocol::LoadAndStore | Protocol::VisitByStore) {
                    self.store(here, word, 0, false);
                } else if self.compare_locally(here, word, flow.seen, 0) != flow.seen {
                    flow.next = Next::Take;
                    return Ok(());
                }
                self.taken(number, flow, usize::from(flow.seen) - 1)?;
            }
            Next::LoadBody => {
                flow.value = self.load(here, Word::Body(flow.body.unwrap()));
                flow.next = Next::StoreBody;
                if protocol == Protocol::GiveBackEarly {
                    self.given_back(flow);
                    self.store(
                        here,
                        Word::Token(flow.body.unwrap()),
                        address(flow.body.unwrap()),
                        true,
                    );
                }
            }
            Next::StoreBody => {
                let body = flow.body.unwrap();
                self.store(here, Word::Body(body), flow.value + 1, false);
                self.accesses[body] += 1;
                flow.next = Next::GiveBack;
                if protocol == Protocol::GiveBackEarly {
                    self.done(flow);
                }
            }
            Next::GiveBack => {
                let body = flow.body.unwrap();
                let (home, release) = match protocol {
                    Protocol::GiveBackHere => (here, true),
                    Protocol::GiveBackUnordered => (body, false),
                    _ => (body, true),
                };
                if protocol != Protocol::GiveBackOnlyAtHome || here == body {
                    self.store(here, Word::Token(home), address(body), release);
                }
                self.given_back(flow);
                self.done(flow);
            }
            Next::End => unreachable!(),
        }
        Ok(())
    }

    fn taken(&mut self, number: usize, flow: &mut Flow, body: usize) -> Result<(), Broken> {
        if self.holder[body].replace(number).is_some() {
            return Err(Broken::TwoHolders);
        }
        flow.body = Some(body);
        flow.next = Next::LoadBody;
        Ok(())
    }

    fn given_back(&mut self, flow: &Flow) {
        let body = flow.body.unwrap();
        self.holder[body] = None;
        self.seen.afar |= flow.cpu != body;
    }

    /// The caller gets `None`. There must be a holder, or a token that has not reached memory.
    fn turned_away(&mut self, flow: &mut Flow, cpu: usize) -> Result<(), Broken> {
        self.seen.turned_away = true;
        self.seen.by_visitor |=
            self.holder[cpu].is_some_and(|holder| self.flows[holder].kind == Kind::Visitor);
        self.done(flow);
        let mut on_its_way = self.buffers.iter().flatten();
        if self.holder[cpu].is_some()
            || on_its_way.any(|pending| pending.word == Word::Token(cpu) && pending.value != 0)
        {
            Ok(())
        } else {
            Err(Broken::TurnedAwayFromFree)
        }
    }

    /// Ends an access, or an attempt that was turned away.
    fn done(&mut self, flow: &mut Flow) {
        flow.body = None;
        (flow.seen, flow.value, flow.was_on) = (0, 0, 0);
        flow.rounds -= 1;
        flow.next = match flow.kind {
            _ if flow.rounds == 0 => Next::End,
            Kind::Visitor => Next::TakeOf,
            _ => Next::Take,
        };
        if flow.next == Next::End && flow.kind == Kind::Interrupt {
            self.interrupts[flow.cpu].pop();
        }
    }

    /// Checks the state when no event can happen any more.
    pub(crate) fn at_the_end(&self) -> Result<(), Broken> {
        for cpu in 0..CPUS {
            if self.tokens[cpu] != address(cpu) {
                return Err(Broken::TokenLost);
            }
            if self.bodies[cpu] != self.accesses[cpu] {
                return Err(Broken::AccessLost);
            }
        }
        Ok(())
    }
}
