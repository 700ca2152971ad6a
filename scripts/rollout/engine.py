"""The rollout itself: create the idle colour, prove it, move traffic in steps, or take everything back."""

import time
from dataclasses import dataclass

from amlspec.errors import UserError
from provenance import check
from rollout import batch, checks, load
from rollout.checks import Row, Seen
from rollout.policy import Policy
from rollout.report import Report
from rollout.site import COLOURS, EndpointState, Site

ALL = 100
# Exit code of a rollout that waits for a person.
WAITING = 3


class WaitingError(UserError):
    """A step waits for a person's word; what was done until then stays."""

    def __init__(self, step: int, share: int) -> None:
        text = f"waits before {step} % for a person: make deploy APPROVE={step} goes on, make rollback takes it back"
        super().__init__(f"{text}; the new version has {share} % until then", WAITING)


class ProofError(Exception):
    """A check was not passed; `problems` say which."""

    def __init__(self, step: str, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.step, self.problems = step, problems


@dataclass
class Rollout:
    """One deployment of one version."""

    site: Site
    requests: list[Row]
    forecasts: batch.Result | None
    policy: Policy
    report: Report
    approved: frozenset[int] = frozenset()
    usual_p95: float | None = None

    def deploy(self, version: str | None, colour: str | None) -> str:
        """Bring a version to 100 percent; one line that says what became of it. Raises UserError after a way back."""
        wanted = self.site.version(version)
        state = self._state()
        stable = state.stable
        self._check_colour(colour, state)
        if not state.is_settled and not self._goes_on(state, wanted):
            self._take_back(stable, state.other(stable), "an interrupted rollout")
            state = self._state()
        if state.is_settled and stable and self._is(state, stable, wanted):
            return f"{self.site.model} version {wanted} is live already on {stable}: no change"
        new = colour or (state.other(stable))
        self.report.data |= {"model": self.site.model, "version": wanted, "colour": new, "from": stable}
        self.site.check_reachable()
        self._check_provenance(wanted)
        self.forecasts = self.forecasts or self._batch(wanted)
        try:
            self._walk(state, stable, new, wanted)
        except WaitingError:
            self.report.write("waiting")
            raise
        except (ProofError, UserError, KeyboardInterrupt) as error:
            self._fail(stable, new, error)
        return f"{self.site.model} version {wanted} is live on {new}" + (
            f"; {stable} is kept for rollback" if stable else ""
        )

    def _state(self) -> EndpointState:
        state = self.site.read()
        if state is None:
            self.site.create_endpoint()
            self.report.step("endpoint", f"{self.site.name} created")
            state = self.site.read()
        if state is None:
            raise UserError(f"endpoint {self.site.name} was created and is not listed", 1)
        return state

    def _check_provenance(self, version: str) -> None:
        """Only what a run of ours made, and its gate let pass, comes behind the endpoint. Raises UserError else."""
        with check.version(self.site.model, version) as proved:
            self.report.step("provenance", f"signed, of commit {proved.made_of['commit'][:12]}")

    def _batch(self, version: str) -> batch.Result | None:
        """What a batch job forecast with the version; that it cannot be had is said, and ends no rollout."""
        try:
            return batch.newest(self.site.call, self.site.model, version)
        except UserError as error:
            self.report.step("compare", f"not compared with a batch result: {error}")
            return None

    def _check_colour(self, colour: str | None, state: EndpointState) -> None:
        if colour is not None and colour not in COLOURS:
            raise UserError(f"COLOUR={colour}: blue or green")
        if colour is not None and colour == state.stable:
            raise UserError(f"COLOUR={colour}: it is live; leave COLOUR out, or give {state.other(colour)}")

    def _goes_on(self, state: EndpointState, wanted: str) -> bool:
        """Whether an interrupted rollout was of this version and may go on where it stopped."""
        new = state.other(state.stable)
        return self._is(state, new, wanted) and new in state.healthy

    def _is(self, state: EndpointState, colour: str, wanted: str) -> bool:
        """Whether a colour is the wanted version, as today's spec and code serve it."""
        return state.versions.get(colour) == wanted and state.contents.get(colour) == self.site.content()

    def _walk(self, state: EndpointState, stable: str | None, new: str, version: str) -> None:
        """All steps, from where the endpoint is."""
        share = state.traffic.get(new, 0)
        if share == 0 or stable is None:
            if new in state.versions:
                self.site.set_traffic({stable: 100, new: 0} if stable else {new: 0})
                self.site.delete(new)
                self.report.step("delete", f"the idle {new}")
            self.site.create(new, version)
            self.report.step("create", f"{new} with {self.site.model} version {version}")
        else:
            self.report.step("resume", f"{new} has {share} percent already")
        target = load.Target(*self.site.address())
        self._smoke(target, stable, new, version)
        for step in (each for each in self._shares(stable) if each >= share):
            if step > share and stable and step in self.policy.asks_before - self.approved:
                raise WaitingError(step, share)
            share = step
            if step:
                self.site.set_traffic({stable: 100 - step, new: step} if stable else {new: 100})
            self._prove(target, stable, new, step)
            if step < ALL:
                time.sleep(self.policy.pause_seconds)
        self._bake(target, stable, new)
        self.site.set_traffic({stable: 0, new: 100} if stable else {new: 100}, stable=new)

    def _shares(self, stable: str | None) -> tuple[int, ...]:
        """Without a live version there is nothing to split with."""
        return self.policy.steps if stable else (0, ALL)

    def _smoke(self, target: load.Target, stable: str | None, new: str, version: str) -> None:
        """Golden requests: shape, numbers, version, agreement with the batch result and with the live version."""
        problems: list[str] = []
        for request in self.requests:
            answer = load.ask(target, new, request)
            problems += checks.answer_problems(request, answer, self.site.model, version)
            if problems:
                break
            rows = answer["predictions"]
            problems += self._change(target, stable, request, rows)
        compared = 0 if problems or not self.forecasts else self._agree(target, new, self.forecasts, problems)
        if problems:
            raise ProofError("smoke test", problems)
        agreed = f", {compared} forecasts agree with {self.forecasts.source}" if self.forecasts and compared else ""
        self.report.step("smoke test", f"{len(self.requests)} golden requests answered well{agreed}")

    def _agree(self, target: load.Target, new: str, result: batch.Result, problems: list[str]) -> int:
        """Ask what the batch job answered; forecasts compared."""
        request = result.request()
        if not request["input_data"]:
            problems.append(f"{result.source} holds no forecast: nothing to compare")
            return 0
        answer = load.ask(target, new, request)
        apart = result.origin_problem(answer)
        if apart and not result.given:
            # The batch job reads newer sales than the model was trained on, as it should.
            self.report.step("compare", f"not compared with the batch result: {apart}")
            return 0
        problems += (
            [apart] if apart else batch.problems(answer["predictions"], result.expected(), self.policy.limits.agreement)
        )
        return len(answer["predictions"])

    def _change(self, target: load.Target, stable: str | None, request: Row, rows: list[Row]) -> list[str]:
        if stable is None:
            return []
        try:
            old = load.ask(target, stable, request)["predictions"]
            return checks.change_problems(rows, old, self.policy.limits.change)
        except (UserError, KeyError, TypeError, ValueError) as error:
            # A live version that answers badly is no reason to keep it.
            self.report.step("compare", f"not compared with the live version: {error}")
            return []

    def _prove(self, target: load.Target, stable: str | None, new: str, share: int) -> None:
        """Load on both deployments side by side, at this share of the traffic."""
        seen, problems = self._checked(target, stable, new)
        measurements = {name: one.shown() for name, one in seen.items()}
        if problems:
            self.report.data["steps"].append({"step": f"traffic {share}", "seen": measurements})
            raise ProofError(f"traffic {share} %", problems)
        self.report.step(f"traffic {share} %", _line(seen), seen=measurements)

    def _bake(self, target: load.Target, stable: str | None, new: str) -> None:
        """Watch the version with all the traffic before it counts as the one to fall back to.

        What is seen are requests of our own, as at the steps before, and on this machine the callers', which the router
        counts. On Azure `az` shows none of theirs: the alerts of Terraform watch them.
        """
        end, looks, since = time.monotonic() + self.policy.bake, 0, time.time()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.policy.bake_every_seconds))
            seen, problems = self._checked(target, stable, new)
            problems += checks.caller_problems(*self.site.callers(new, since), self.policy.limits)
            looks += 1
            if problems:
                shown = {name: one.shown() for name, one in seen.items()}
                self.report.data["steps"].append({"step": "bake", "seen": shown})
                raise ProofError("bake", problems)
        if looks:
            self.report.step(
                "bake", f"{new} with all traffic for {self.policy.bake:.0f} s, {looks} looks, nothing wrong"
            )

    def _checked(self, target: load.Target, stable: str | None, new: str) -> tuple[dict[str, Seen], list[str]]:
        """What was seen under load, and what is wrong with it."""
        seen, problems = self._measured(target, stable, new)
        if not problems and checks.slow_problems(seen[new], self.usual_p95, self.policy.limits):
            # A busy moment is not a slow version: only one that is slow twice is.
            seen, problems = self._measured(target, stable, new)
            problems += checks.slow_problems(seen[new], self.usual_p95, self.policy.limits)
        return seen, problems

    def _measured(self, target: load.Target, stable: str | None, new: str) -> tuple[dict[str, Seen], list[str]]:
        """What was seen, and what is wrong with it but for its speed.

        The live version's p95 counts as it was at its worst: at 0 percent it has all callers, at 100 the new one has.
        """
        names = [name for name in (new, stable) if name]
        seen = load.measure(target, names, self.requests, self.policy.samples, self.policy.workers)
        old = seen.get(stable or "")
        if old and old.milliseconds:
            self.usual_p95 = max(old.p95, self.usual_p95 or 0.0)
        return seen, checks.load_problems(seen[new], old, self.policy.limits)

    def _fail(self, stable: str | None, new: str, error: BaseException) -> None:
        """Take everything back, then say why."""
        step, problems = (error.step, error.problems) if isinstance(error, ProofError) else ("rollout", [_words(error)])
        self.report.problem(step, problems, self.site.logs(new) if not isinstance(error, KeyboardInterrupt) else [])
        back = f"{stable} has all traffic" if stable else "nothing is live"
        try:
            self._take_back(stable, new, "the failed version")
        except UserError as second:
            path = self.report.write("stuck")
            text = (
                f"rollout of {new} failed and could not be taken back ({second}): `make deploy` again goes on from here"
            )
            raise UserError(f"{text}; report: {path}", 1) from error
        path = self.report.write("taken back")
        raise UserError(f"rollout failed at {step}: {problems[0]}; {back}; report: {path}", 1) from error

    def _take_back(self, stable: str | None, new: str, what: str) -> None:
        state = self.site.read()
        if state is None:
            return
        traffic = {name: 0 for name in (new,) if name in state.versions}
        if stable:
            traffic[stable] = 100
        if traffic and {name: share for name, share in state.traffic.items() if share} != {
            name: share for name, share in traffic.items() if share
        }:
            self.site.set_traffic(traffic)
        self.site.delete(new)
        self.report.step("back", f"{what} ({new}) is gone" + (f", {stable} has 100 percent" if stable else ""))

    def rollback(self) -> str:
        """Give all traffic to the idle colour; the other one is kept. One line that says what became of it."""
        state = self.site.read()
        stable = state.stable if state else None
        if state is None or stable is None:
            raise UserError(f"endpoint {self.site.name} serves nothing: `make deploy` first")
        if not state.is_settled:
            self._take_back(stable, state.other(stable), "an interrupted rollout")
            return f"the interrupted rollout is undone: {stable} (version {state.versions[stable]}) has 100 percent"
        idle = state.other(stable)
        if idle not in state.healthy:
            raise UserError("there is no idle deployment to go back to: make deploy MODEL_VERSION=<version>")
        target = load.Target(*self.site.address())
        for request in self.requests:
            answer = load.ask(target, idle, request)
            problems = checks.answer_problems(request, answer, self.site.model, state.versions[idle])
            if problems:
                raise UserError(f"{idle} does not answer well, so {stable} stays live: {problems[0]}", 1)
        self.site.set_traffic({stable: 0, idle: 100}, stable=idle)
        self.report.step("rollback", f"{idle} has 100 percent")
        return f"{self.site.model} version {state.versions[idle]} is live on {idle}; {stable} is kept"


def _words(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)


def _line(seen: dict[str, Seen]) -> str:
    parts = [
        f"{name} {each.requests} requests, {each.error_rate:.0%} errors, p95 {each.p95:.0f} ms"
        for name, each in seen.items()
    ]
    return "; ".join(parts)
