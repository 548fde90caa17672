"""The areas of retries, rate limits and supervision."""

RATES = 2


class PacingAreas:
    def objects_pacing(self):
        # Powers of two, so that no time is rounded.
        r = self.random
        return {"rates": [[2 ** r.randrange(3), 2.0 ** r.randint(-2, 2), r.randint(1, 4)] for _ in range(RATES)]}

    def choices_pacing(self, where):
        r = self.random
        rate = r.randrange(RATES)
        choices = [
            (4, lambda w: ["take_tokens", rate, r.randint(1, self.objects["rates"][rate][2])]),
            (1, lambda w: ["take_token_nowait", rate]),
        ]
        if self.patterns_around < 2:
            # One in another in another nests deeper than what reads the programs allows.
            choices += [(4, self.retry), (3, self.supervise)]
        return choices

    def attempts(self, where, most):
        """The block of each attempt; most fail."""
        r = self.random
        self.patterns_around += 1
        blocks = [self.block(where, 0, 2) + ([["raise", "E%d" % r.randrange(4)]] if r.random() < 0.7 else [])
                  for _ in range(r.randint(1, most))]
        self.patterns_around -= 1
        return blocks

    def retry(self, where):
        r = self.random
        timeout = self.seconds() + self.seconds() if r.random() < 0.4 else None
        return ["retry", self.seconds(), r.choice([1, 2]), self.seconds() + 1, timeout, self.attempts(where, 4)]

    def supervise(self, where):
        r = self.random
        inner = {"nurseries": where["nurseries"], "system": where.get("system", False)}
        tasks = [[self.name(), self.attempts(inner, 3)] for _ in range(r.randint(1, 3))]
        return ["supervise", r.choice(["one_for_one", "all_for_one"]), r.randrange(4), self.seconds(), self.seconds(), tasks]

    def meeting_pacing(self, nursery):
        r = self.random
        first, second = self.seconds(), self.seconds()
        where = {"nurseries": [nursery]}
        few = lambda: self.block(where, 0, 2)
        rate = r.randrange(RATES)
        match r.choice(["rate", "left", "again"]):
            case "rate":
                return [[["take_tokens", rate, 1]] * r.randint(1, 4) + few() for _ in range(2)]
            case "left":
                # Somebody leaves the queue.
                number = self.scopes
                self.scopes += 1
                wait = ["scope", number, "timeout", first, False, [["take_tokens", rate, 1]] * 3]
                return [wait, *few()], [["sleep", second], ["take_tokens", rate, 1], *few()]
            case _:
                return ([["sleep", first], r.choice([self.retry, self.supervise])(where), *few()],
                        [["sleep", second], *few()])
