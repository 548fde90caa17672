"""Prints random concurrent programs, one JSON object a line: generate.py SEED COUNT [AREAS].

AREAS names areas of the language, with commas between them: `all` (the default), or `core` for none. A program
has some of them; if only one is named, every program has it."""

import json
import random
import sys

from areas import AREAS, Areas

KINDS = ("lock", "semaphore", "limiter")


class Generator(Areas):
    def __init__(self, seed, areas=AREAS):
        self.random = random.Random(seed)
        self.seed = seed
        self.tasks = 0
        self.nurseries = 0
        self.scopes = 0
        r = self.random
        self.budget = r.choice([10, 20, 40, 80])
        # How often times are coarse, so that things happen in the same instant.
        self.coarse = r.choice([0.05, 0.15, 0.5])
        # How much goes wrong.
        self.trouble = r.choice([0.2, 1, 3])
        self.counts = {
            "events": 2,
            "locks": 2,
            "conditions": 1,
            "semaphores": [r.randint(0, 2) for _ in range(2)],
            "limiters": [r.randint(1, 2) for _ in range(2)],
            "channels": [r.randint(0, 2) for _ in range(2)],
        }
        self.choose_areas(areas)
        self.counts |= self.area_objects()

    def seconds(self):
        # Fine steps seldom coincide; coarse ones do so on purpose. Both are exact in binary.
        if self.random.random() < self.coarse:
            return self.random.randint(0, 6) / 2
        return self.random.randint(1, 4096) / 1024

    def block(self, where, least=1, most=4):
        return [self.statement(where) for _ in range(self.random.randint(least, most)) if self.budget > 0]

    def statement(self, where):
        self.budget -= 1
        r = self.random
        choices = [
            (8, self.sleep),
            (3, lambda w: [r.choice(["checkpoint", "checkpoint_if_cancelled", "shielded_checkpoint"])]),
            (self.trouble / 2, lambda w: ["sleep_forever"]),
            (5, self.scope),
            (4, self.nursery),
            (2, lambda w: ["event_set", r.randrange(2)]),
            (2, lambda w: ["event_wait", r.randrange(2)]),
            (4, self.with_),
            (1, lambda w: ["release", r.choice(KINDS), r.randrange(2)]),
            (2, lambda w: ["condition", 0, self.block({**w, "condition": True})]),
            (self.trouble, lambda w: ["raise", "E%d" % r.randrange(4)]),
            (2, lambda w: ["try", self.block(w), self.block(w, 1, 2)]),
            (2, lambda w: ["catch", self.block(w)]),
            (2, self.cleanup),
        ]
        if "closing" not in self.areas:
            # These know only open channels.
            choices += [
                (3, lambda w: ["send", r.randrange(2), r.randrange(100)]),
                (3, lambda w: ["receive", r.randrange(2)]),
                (1, lambda w: ["send_nowait", r.randrange(2), r.randrange(100)]),
                (1, lambda w: ["receive_nowait", r.randrange(2)]),
            ]
        choices += self.area_choices(where)
        if where["nurseries"]:
            choices.append((8, self.spawn))
            choices.append((4, self.start))
            choices.append((1, lambda w: ["cancel_nursery", r.choice(w["nurseries"])]))
        if self.scopes:
            choices.append((2 + 2 * self.trouble, lambda w: ["cancel", r.randrange(self.scopes)]))
            choices.append((2, lambda w: ["set_deadline", r.randrange(self.scopes), self.seconds()]))
            choices.append((2, lambda w: ["set_shield", r.randrange(self.scopes), r.random() < 0.5]))
        if where.get("status"):
            choices.append((8, lambda w: ["started", r.randrange(100)]))
        if where.get("condition"):
            choices.append((6, lambda w: ["cond_wait", 0]))
            choices.append((4, lambda w: ["notify", 0, r.randint(1, 2)]))
        total = sum(weight for weight, _ in choices)
        pick = r.random() * total
        for weight, make in choices:
            pick -= weight
            if pick < 0:
                return make(where)
        return ["checkpoint"]

    def sleep(self, where):
        return ["sleep", self.seconds()]

    def with_(self, where):
        r = self.random
        return ["with", r.choice(KINDS), r.randrange(2), self.block(where)]

    def scope(self, where):
        r = self.random
        number = self.scopes
        self.scopes += 1
        # Always with a deadline: a shielded region without one might never end.
        shield = r.random() < 0.25
        deadline = self.seconds() if r.random() < 0.6 else 20 + self.seconds()
        return ["scope", number, r.choice(["deadline", "timeout"]), deadline, shield, self.block(where)]

    def cleanup(self, where):
        number = self.scopes
        self.scopes += 1
        bounded = ["scope", number, "timeout", self.seconds(), True, self.block(where, 1, 2)]
        return ["try", self.block(where), [bounded]]

    def nursery(self, where):
        number = self.nurseries
        self.nurseries += 1
        inner = {**where, "nurseries": where["nurseries"] + [number]}
        return ["nursery", number, self.block(inner, 1, 5)]

    def child(self, where):
        self.tasks += 1
        target = self.random.choice(where["nurseries"])
        seen = where["nurseries"][: where["nurseries"].index(target) + 1]
        return target, "t%d" % self.tasks, {"nurseries": seen, "system": where.get("system", False)}

    def spawn(self, where):
        target, name, inner = self.child(where)
        return ["spawn", target, name, self.block(inner)]

    def start(self, where):
        target, name, inner = self.child(where)
        self.started.append(name)
        block = self.block({**inner, "status": True}, 1, 5)
        if self.random.random() < 0.7:
            block.insert(self.random.randint(0, len(block)), ["started", self.random.randrange(100)])
        return ["start", target, name, block]

    def name(self):
        self.tasks += 1
        return "t%d" % self.tasks

    def meeting(self, nursery):
        """Two tasks that are about the same thing, which chance alone seldom makes."""
        r = self.random
        first, second = self.seconds(), self.seconds()
        number = self.scopes
        where = {"nurseries": [nursery]}
        kinds = ["condition", "event", "instant", "lock", "shield", "channel", "handed"]
        if "closing" in self.areas:
            kinds.remove("channel")
        kind = r.choice(kinds + 2 * self.area_meetings())
        match kind:
            case "condition":
                pair = (
                    [["sleep", first], ["condition", 0, [["cond_wait", 0], *self.block(where, 0, 1)]]],
                    [["sleep", first + second], ["condition", 0, [["notify", 0, r.randint(1, 2)], *self.block(where, 0, 1)]]],
                )
            case "event":
                event = r.randrange(2)
                pair = [["sleep", first], ["event_wait", event]], [["sleep", second], ["event_set", event]]
            case "instant":
                # A deadline is moved to the very instant at which a sleep ends.
                self.scopes += 1
                pair = (
                    [["scope", number, "timeout", 20, False, [["sleep", first + second], *self.block(where, 0, 1)]]],
                    [["sleep", first], ["set_deadline", number, second], *self.block(where, 0, 1)],
                )
            case "lock":
                kind, which = r.choice(KINDS), r.randrange(2)
                pair = (
                    [["with", kind, which, [["sleep", first], *self.block(where, 0, 1)]]],
                    [["sleep", int(second * 256) / 1024], ["with", kind, which, self.block(where, 0, 2)]],
                )
            case "shield":
                self.scopes += 2
                inside = ["scope", number + 1, "timeout", first + 2 * second, True, [["sleep", 20], ["checkpoint"]]]
                pair = (
                    [["scope", number, "timeout", first, False, [inside, *self.block(where, 0, 1)]]],
                    [["sleep", first + second], ["set_shield", number + 1, False]],
                )
            case "channel":
                channel = r.randrange(2)
                pair = (
                    [["send", channel, r.randrange(100)] for _ in range(r.randint(1, 4))],
                    [["sleep", first], *[["receive", channel] for _ in range(r.randint(1, 4))]],
                )
            case "handed":
                # Started into a nursery that is cancelled about then, from inside a nursery of its own.
                inner = self.nurseries
                self.nurseries += 1
                body = [["nursery", inner, [["spawn", inner, self.name(), [["sleep", 9.5]]],
                                            ["sleep", first], ["started", 1], ["sleep", 9.25]]]]
                pair = (
                    [["start", nursery, self.name(), body], *self.block(where, 0, 1)],
                    [["sleep", second], r.choice([["cancel_nursery", nursery], ["sleep", 0.5]])],
                )
            case _:
                pair = self.meeting_of(kind, nursery)
        return [["spawn", nursery, self.name(), block] for block in pair]

    def crowd(self):
        """A nursery with several tasks, which meet at the same few objects."""
        number = self.nurseries
        self.nurseries += 1
        where = {"nurseries": [number]}
        tasks = [self.spawn(where) if self.random.random() < 0.8 else self.start(where)
                 for _ in range(self.random.randint(3, 7))]
        for _ in range(self.random.randint(0, 3)):
            tasks += self.meeting(number)
        self.random.shuffle(tasks)
        return ["nursery", number, tasks + self.block(where, 0, 3)]

    def program(self):
        main = []
        if self.random.random() < 0.75:
            main.append(self.crowd())
        while self.budget > 0:
            main.append(self.statement({"nurseries": []}))
        return {"seed": self.seed, "scopes": self.scopes, **self.counts, "main": main}


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    named = sys.argv[3] if len(sys.argv) > 3 else "all"
    areas = {"all": AREAS, "core": ()}.get(named, named.split(","))
    if unknown := set(areas) - set(AREAS):
        sys.exit(f"no such area: {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}, and all and core")
    for index in range(count):
        print(json.dumps(Generator(seed * 1_000_003 + index, areas).program()))


main()
