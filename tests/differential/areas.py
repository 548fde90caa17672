"""The areas of the language beyond its core: which statements each adds, and what makes tasks meet there."""

from message_areas import MessageAreas
from pacing_areas import PacingAreas

AREAS = ("lots", "limiters", "closing", "streams", "context", "status", "reasons", "producers", "system",
         "interrupts", "signals", "threads", "processes", "statistics", "hooks", "patterns", "messages", "pacing")
# How often a program has each.
SHARES = {"interrupts": 0.3, "processes": 0.03, "threads": 0.2, "signals": 0.15, "system": 0.15,
          "statistics": 0.15, "hooks": 0.2, "closing": 0.15, "producers": 0.2, "reasons": 0.3}
LOTS = GATES = 2
STREAMS = 2


class Areas(MessageAreas, PacingAreas):
    """Mixed into the generator, which has `random`, `areas` and the numbers of what there is."""

    def choose_areas(self, allowed):
        r = self.random
        self.areas = {area for area in AREAS if area in allowed and r.random() < SHARES.get(area, 0.2)}
        if len(allowed) == 1:
            self.areas = set(allowed)
        if "hooks" in self.areas:
            # These take other numbers of steps, or not always the same number.
            self.areas -= {"producers", "threads", "interrupts", "processes", "signals"}
        self.left = {"interrupts": 2 if r.random() < 0.2 else 1, "processes": 2, "signals": 1, "system": 3}
        self.started = ["t0"]
        self.with_results = ["t0"]
        # How many of the statements around are patterns.
        self.patterns_around = 0
        self.in_graceful = False
        if "interrupts" in self.areas:
            # What makes a second Ctrl-C end the process.
            self.areas -= {"threads"} if self.left["interrupts"] > 1 else set()
        if "patterns" in self.areas:
            # The names of their tasks, which an unpark tells, too, and what a Ctrl-C meets there are not trio's.
            self.areas -= {"hooks", "reasons", "interrupts", "statistics", "lots"}
        if "pacing" in self.areas:
            # A Ctrl-C ends retries and supervisors, and trio has none.
            self.areas.discard("interrupts")

    def area_objects(self):
        r = self.random
        objects = {}
        if "lots" in self.areas:
            objects["lots"] = LOTS
        if "streams" in self.areas:
            objects["streams"] = [r.choice(["memory", "lockstep"]) for _ in range(STREAMS)]
        if "threads" in self.areas:
            objects["gates"] = GATES
        for area in sorted(self.areas):
            make = getattr(self, "objects_" + area, None)
            if make is not None:
                objects |= make()
        watch = [area for area in ("statistics", "hooks") if area in self.areas]
        if "reasons" in self.areas:
            watch.append("origin")
        if watch:
            objects["watch"] = watch
        self.objects = objects
        return objects

    def use_up(self, what):
        self.left[what] -= 1

    def area_choices(self, where):
        choices = []
        for area in sorted(self.areas):
            adds = getattr(self, "choices_" + area, None)
            if adds is not None:
                choices += adds(where)
        return choices

    def some(self, most):
        return self.random.choice([None, *range(most)])

    def choices_lots(self, where):
        r = self.random
        return [
            (4, lambda w: ["park", r.randrange(LOTS)]),
            (4, lambda w: ["unpark", r.randrange(LOTS), self.some(3)]),
            (2, lambda w: ["repark", r.randrange(LOTS), r.randrange(LOTS), self.some(3)]),
            (0.2, lambda w: ["break_lot", r.randrange(LOTS)]),
        ]

    def choices_limiters(self, where):
        r = self.random
        return [
            (6, lambda w: ["with_for", r.randrange(2), r.randrange(3), self.block(w)]),
            (1, lambda w: ["borrow_nowait", r.randrange(2), r.randrange(3)]),
            (1, lambda w: ["release_for", r.randrange(2), r.randrange(3)]),
            (2, lambda w: ["set_tokens", r.randrange(2), r.randrange(4)]),
        ]

    def choices_closing(self, where):
        r = self.random
        return [
            (5, lambda w: ["put", r.randrange(2), r.randrange(100)]),
            (5, lambda w: ["get", r.randrange(2)]),
            (0.5, lambda w: ["close_send", r.randrange(2)]),
            (0.5, lambda w: ["close_receive", r.randrange(2)]),
        ]

    def choices_streams(self, where):
        r = self.random
        return [
            (4, lambda w: ["stream_send", r.randrange(STREAMS), r.randrange(5)]),
            (4, lambda w: ["stream_receive", r.randrange(STREAMS), r.randint(1, 4)]),
            (0.5, lambda w: ["stream_close", r.randrange(STREAMS), r.randrange(2)]),
        ]

    def choices_context(self, where):
        r = self.random
        return [
            (3, lambda w: ["context_set", r.randrange(2), r.randrange(100)]),
            (3, lambda w: ["context_get", r.randrange(2)]),
        ]

    def choices_status(self, where):
        r = self.random
        choices = [(1, lambda w: ["started_for", r.choice(self.started), r.randrange(100)])]
        if where["nurseries"]:
            choices.append((4, self.start))
        return choices

    def choices_reasons(self, where):
        r = self.random
        choices = [(1, lambda w: ["effective_deadline"])]
        if self.scopes:
            choices.append((3, lambda w: ["cancel_with", r.randrange(self.scopes), r.choice([None, "why", "because"])]))
            choices.append((1, lambda w: ["set_timeout", r.randrange(self.scopes), self.seconds()]))
        return choices

    def choices_producers(self, where):
        choices = [(4, self.producer)]
        if where.get("taken"):
            choices.append((15, lambda w: ["take"]))
        return choices

    def producer(self, where):
        r = self.random
        makes = []
        for _ in range(r.randint(0, 4)):
            if r.random() < 0.5:
                makes += self.block({"nurseries": []}, 0, 1)
            makes.append(["yield", r.randrange(100)])
        makes += self.block({"nurseries": []}, 0, 1)
        return ["producer", self.name(), makes, self.block({**where, "taken": True}, 1, 5)]

    def choices_system(self, where):
        # One that outlives the main task is refused, or not, by chance.
        return [(2, self.system)] if self.left["system"] > 0 and not where.get("system") else []

    def system(self, where):
        self.use_up("system")
        block = self.block({"nurseries": [], "system": True})
        if self.random.random() < 0.9:
            block = [["catch", block]]
        return ["system", self.name(), block]

    def choices_interrupts(self, where):
        if self.left["interrupts"] <= 0:
            return []

        def interrupt(where):
            self.use_up("interrupts")
            return ["interrupt"]

        return [(1, interrupt)]

    def choices_signals(self, where):
        choices = [(1, lambda w: ["raise_signal"])]
        if where.get("signals"):
            choices.append((10, lambda w: ["next_signal"]))
        if self.left["signals"] > 0:
            choices.append((4, self.signals))
        return choices

    def signals(self, where):
        self.use_up("signals")
        return ["signals", self.block({**where, "signals": True}, 1, 5)]

    def choices_threads(self, where):
        return [(4, self.thread), (3, lambda w: ["open_gate", self.random.randrange(GATES)])]

    def thread(self, where):
        r = self.random
        block = []
        for _ in range(r.randint(1, 4)):
            block.append(r.choice([
                lambda: ["gate", r.randrange(GATES)],
                lambda: ["gate", r.randrange(GATES)],
                lambda: ["check_cancelled"],
                lambda: ["from_sync", self.at_once()],
                lambda: ["from_run", self.block({"nurseries": [], "system": True}, 1, 2)],
                lambda: ["raise", "E%d" % r.randrange(4)],
                lambda: [r.choice(["context_get", "context_set"]), r.randrange(2), r.randrange(100)],
            ])())
            if block[-1][0] == "context_get":
                block[-1].pop()
        return ["thread", self.name(), r.random() < 0.4, block]

    def at_once(self):
        """A statement that does not wait."""
        r = self.random
        choices = [["event_set", r.randrange(2)], ["open_gate", r.randrange(GATES)],
                   ["context_set", r.randrange(2), r.randrange(100)], ["context_get", r.randrange(2)]]
        if "closing" not in self.areas:
            choices.append(["send_nowait", r.randrange(2), r.randrange(100)])
        if self.scopes:
            choices.append(["cancel", r.randrange(self.scopes)])
            choices.append(["set_deadline", r.randrange(self.scopes), self.seconds()])
        return r.choice(choices)

    def choices_patterns(self, where):
        r = self.random
        if self.patterns_around >= 2:
            # One in another in another nests deeper than what reads the programs allows.
            return []
        return [
            (2, lambda w: ["gather", self.several(w)]),
            (3, lambda w: ["map", r.randint(1, 3), r.random() < 0.5, self.several(w)]),
            (5, lambda w: ["race", r.choice(["end", "succeed"]), self.several(w)]),
            (3, lambda w: ["hedge", self.seconds(), self.several(w)]),
            (4, self.services),
            (3, lambda w: ["result", r.choice(self.with_results)]),
        ] + [(5, self.spawn_for_result)] * bool(where["nurseries"]) + [(4, self.graceful)] * (not self.in_graceful)

    def spawn_for_result(self, where):
        target, name, inner = self.child(where)
        self.with_results.append(name)
        return ["spawn_for_result", target, name, self.random.randrange(100), self.block(inner)]

    def graceful(self, where):
        r = self.random
        # A shutdown reaches into those inside; the program on trio keeps no tree of them.
        self.in_graceful = True
        stopped, finishing = self.several(where, 0), self.several(where)
        for _, block in finishing:
            wait = r.choice([[["sleep_forever"]], [["sleep", self.seconds()]], [["event_wait", 0]], [["checkpoint"]]])
            block.insert(r.randint(0, len(block)), ["until_shut_down", wait + self.block({"nurseries": []}, 0, 1)])
        self.in_graceful = False
        return ["graceful", self.seconds(), self.seconds(), stopped, finishing]

    def several(self, where, least=1):
        inner = {"nurseries": where["nurseries"], "system": where.get("system", False)}
        self.patterns_around += 1
        tasks = [[self.name(), self.block(inner)] for _ in range(self.random.randint(least, 4))]
        self.patterns_around -= 1
        return tasks

    def services(self, where):
        services = self.nurseries
        self.nurseries += 2
        inner = {**where, "nurseries": where["nurseries"] + [services, services + 1]}
        self.patterns_around += 1
        block = self.block(inner, 1, 6)
        self.patterns_around -= 1
        return ["services", services, services + 1, block]

    def choices_processes(self, where):
        if self.left["processes"] <= 0:
            return []
        return [(4, self.process)]

    def process(self, where):
        self.use_up("processes")
        if self.random.random() < 0.5:
            return ["process", self.random.randrange(3), self.random.random() < 0.3]
        return ["process_forever", self.block(where)]

    def area_meetings(self):
        return [area for area in ("lots", "limiters", "closing", "streams", "producers", "interrupts", "signals",
                                  "threads", "status", "context", "patterns", "messages", "pacing") if area in self.areas]

    def meeting_of(self, area, nursery):
        """As `meeting`, where two tasks are about something of an area."""
        r = self.random
        first, second = self.seconds(), self.seconds()
        where = {"nurseries": [nursery]}
        few = lambda: self.block(where, 0, 2)
        match area:
            case "lots":
                lot = r.randrange(LOTS)
                word = r.choice([["unpark", lot, self.some(3)], ["repark", lot, 1 - lot, self.some(3)]])
                # Perhaps a second task parks there.
                beside = [["spawn", nursery, self.name(), [["park", lot], *few()]]] if r.random() < 0.5 else []
                return ([*beside, ["sleep", first], ["park", lot], *few()],
                        [["sleep", first + second], word, *few(), ["unpark", 1 - lot, None]])
            case "limiters":
                limiter, who = r.randrange(2), r.randrange(3)
                if r.random() < 0.5:
                    # It waits until there are more tokens.
                    return ([["sleep", first], ["with_for", limiter, who, few()], *few()],
                            [["set_tokens", limiter, 0], ["sleep", first + second], ["set_tokens", limiter, r.randint(1, 3)]])
                return ([["with_for", limiter, who, [["sleep", first]]], *few()],
                        [["sleep", second], ["with_for", limiter, (who + 1) % 3, few()],
                         ["set_tokens", limiter, r.randrange(4)]])
            case "closing":
                channel = r.randrange(2)
                return ([["put", channel, 1], ["put", channel, 2], *few()],
                        [["sleep", first], ["get", channel], *few(),
                         r.choice([["close_send", channel], ["close_receive", channel], ["get", channel]])])
            case "streams":
                stream = r.randrange(STREAMS)
                return ([["sleep", first], ["stream_send", stream, r.randint(1, 5)], *few()],
                        [["sleep", second], ["stream_receive", stream, 2], *few(),
                         r.choice([["stream_receive", stream, 2], ["stream_close", stream, r.randrange(2)]])])
            case "producers":
                return [self.producer(where), *few()], few()
            case "interrupts" if self.left["interrupts"] > 0:
                self.use_up("interrupts")
                return [["sleep", first], ["interrupt"], *few()], [["sleep", second], *few()]
            case "signals" if self.left["signals"] > 0:
                return ([self.signals(where), *few()],
                        [["sleep", first], ["raise_signal"], *few()])
            case "threads":
                gate = r.randrange(GATES)
                thread = ["thread", self.name(), r.random() < 0.4, [["gate", gate], ["from_run", self.block({"nurseries": [], "system": True}, 0, 2)]]]
                number = self.scopes
                self.scopes += 1
                return ([["sleep", first], ["scope", number, "timeout", self.seconds(), False, [thread]], *few()],
                        [["sleep", first + second], ["open_gate", gate], *few()])
            case "context":
                variable = r.randrange(2)
                child = ["spawn", nursery, self.name(), [["sleep", second], ["context_get", variable]]]
                return ([["context_set", variable, 1], child, ["sleep", first], ["context_set", variable, 2],
                         *few(), ["context_get", variable]],
                        [["context_set", variable, 3], *few(), ["context_get", variable]])
            case "patterns":
                # Tasks that sleep, wait for the other one, or fail, each in its own time.
                tasks = self.several(where, 2)
                for _, block in tasks:
                    block[:0] = r.choice([[["sleep", self.seconds()]], [["event_wait", 0]], []])
                    block += r.choice([[], [], [["raise", "E1"]], [["try", [["sleep_forever"]], [["shielded_checkpoint"]]]]])
                pattern = r.choice([["gather", tasks], ["race", "end", tasks], ["race", "succeed", tasks],
                                    ["hedge", first, tasks], ["map", r.randint(1, 3), r.random() < 0.5, tasks],
                                    self.services(where), self.graceful(where)])
                if r.random() < 0.3:
                    # Two tasks ask for a value, one of them perhaps when the child's nursery has ended.
                    number = self.nurseries
                    self.nurseries += 1
                    child = self.spawn_for_result({"nurseries": [nursery, number]})
                    child[-1] += r.choice([[], [["raise", "E2"]]])
                    result = ["result", child[2]]
                    return ([["catch", [["nursery", number, [child, *few()]]]], result, *few()],
                            [["sleep", second], result, *few()])
                return [pattern, *few()], [["sleep", second], ["event_set", 0], *few()]
            case "status":
                name = self.name()
                self.started.append(name)
                return ([["start", nursery, name, [["sleep", first], *few()]], *few()],
                        [["sleep", second], ["started_for", name, 1], *few()])
            case "messages":
                return self.meeting_messages(nursery)
            case "pacing":
                return self.meeting_pacing(nursery)
        return few(), few()
