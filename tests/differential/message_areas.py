"""The areas of broadcast channels, watched values, one-shots and batches."""

BROADCASTS = WATCHED = 2
RECEIVERS = 3
ONESHOTS = 3


class MessageAreas:
    def objects_messages(self):
        r = self.random
        slow = ["wait", "wait", "lag", "disconnect"]
        return {"broadcasts": [[r.randint(1, 3), r.choice(slow), r.randint(1, RECEIVERS)] for _ in range(BROADCASTS)],
                "watched": WATCHED, "oneshots": ONESHOTS}

    def hear(self, number):
        return ["hear", number, self.random.randrange(self.objects["broadcasts"][number][2])]

    def choices_messages(self, where):
        r = self.random
        channel = r.randrange(BROADCASTS)
        return [
            (6, lambda w: ["broadcast", channel, r.randrange(100)]),
            (2, lambda w: ["broadcast_nowait", channel, r.randrange(100)]),
            (6, lambda w: self.hear(channel)),
            (0.3, lambda w: ["close_broadcast", channel]),
            (0.5, lambda w: ["close_hearing", *self.hear(channel)[1:]]),
            (4, lambda w: ["watch_set", r.randrange(WATCHED), r.randrange(5)]),
            (2, lambda w: ["watch_value", r.randrange(WATCHED), r.randrange(5)]),
            (2, lambda w: ["watch_fall", r.randrange(WATCHED)]),
            (2, lambda w: ["watch_all", r.randrange(WATCHED), r.randint(1, 3)]),
            (2, lambda w: ["oneshot_send", r.randrange(ONESHOTS), r.randrange(100)]),
            (3, lambda w: ["oneshot_receive", r.randrange(ONESHOTS)]),
            (0.5, lambda w: ["oneshot_drop", r.randrange(ONESHOTS)]),
            (3, lambda w: ["send_many", r.randrange(2), [r.randrange(100) for _ in range(r.randint(0, 4))]]),
            (3, lambda w: ["receive_many", r.randrange(2), r.randint(1, 4)]),
        ]

    def meeting_messages(self, nursery):
        r = self.random
        first, second = self.seconds(), self.seconds()
        where = {"nurseries": [nursery]}
        few = lambda: self.block(where, 0, 2)
        match r.choice(["broadcast", "slow", "watch", "oneshot", "batch"]):
            case "broadcast":
                channel = r.randrange(BROADCASTS)
                hear = self.hear(channel)
                return ([["broadcast", channel, n] for n in range(r.randint(1, 5))] + few(),
                        [["sleep", first], *[hear] * r.randint(1, 4), *few()])
            case "slow":
                # Two that hear, each at its own pace.
                channel = r.randrange(BROADCASTS)
                child = ["spawn", nursery, self.name(), [self.hear(channel), ["sleep", second], self.hear(channel), *few()]]
                return ([child, *[["broadcast", channel, n] for n in range(4)], *few()],
                        [self.hear(channel), ["sleep", first], self.hear(channel), self.hear(channel), *few(),
                         r.choice([["close_broadcast", channel], ["close_hearing", *self.hear(channel)[1:]]])])
            case "watch":
                watched = r.randrange(WATCHED)
                wait = r.choice([["watch_value", watched, r.randint(1, 4)], ["watch_fall", watched],
                                 ["watch_all", watched, r.randint(2, 4)]])
                return ([["sleep", first], wait, *few()],
                        [["sleep", second], *[["watch_set", watched, r.randrange(5)] for _ in range(3)],
                         ["sleep", first], ["watch_set", watched, r.randrange(5)], *few()])
            case "oneshot":
                oneshot = r.randrange(ONESHOTS)
                return ([["sleep", first], ["oneshot_receive", oneshot], *few()],
                        [["sleep", second], r.choice([["oneshot_send", oneshot, 7], ["oneshot_drop", oneshot]]), *few()])
            case _:
                channel = r.randrange(2)
                return ([["send_many", channel, list(range(r.randint(1, 6)))], *few()],
                        [["sleep", first], ["receive_many", channel, r.randint(1, 4)], *few(),
                         ["receive_many", channel, r.randint(1, 4)]])
