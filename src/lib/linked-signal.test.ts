import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { linkSignals, onAbort } from "./linked-signal.ts";

const listenersOf = (...controllers: AbortController[]): number[] =>
  controllers.map(({ signal }) => getEventListeners(signal, "abort").length);

describe("linkSignals", () => {
  it("aborts with the reason of the first source that aborts, and releases the others", () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const linked = linkSignals(one.signal, undefined, two.signal);
    expect(linked.signal.aborted).toBe(false);
    expect(listenersOf(one, two)).toEqual([1, 1]);
    two.abort(new Error("second"));
    expect(linked.signal.reason).toEqual(new Error("second"));
    expect(listenersOf(one, two)).toEqual([0, 0]);
    one.abort(new Error("first"));
    expect(linked.signal.reason).toEqual(new Error("second"));
  });

  it("is aborted from the start when a source is, without a listener on the others", () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const linked = linkSignals(one.signal, AbortSignal.abort(new Error("before")), two.signal);
    expect(linked.signal.reason).toEqual(new Error("before"));
    expect(listenersOf(one, two)).toEqual([0, 0]);
  });

  it("aborts alone, leaving its sources as they are", () => {
    const source = new AbortController();
    const linked = linkSignals(source.signal);
    linked.abort(new Error("alone"));
    expect(linked.signal.reason).toEqual(new Error("alone"));
    expect(source.signal.aborted).toBe(false);
    expect(listenersOf(source)).toEqual([0]);
  });

  it("no longer follows its sources once disposed, and leaves no listener on them", () => {
    const source = new AbortController();
    for (let i = 0; i < 100; i++) {
      const linked = linkSignals(source.signal);
      linked.dispose();
      linked.dispose();
    }
    const linked = linkSignals(source.signal);
    linked.dispose();
    expect(listenersOf(source)).toEqual([0]);
    source.abort();
    expect(linked.signal.aborted).toBe(false);
  });
});

describe("onAbort", () => {
  it("uses one listener for any number of callbacks, and removes it with the last", () => {
    const source = new AbortController();
    let calls = 0;
    const count = () => calls++;
    const cancels = Array.from({ length: 1000 }, () => onAbort(source.signal, count));
    expect(listenersOf(source)).toEqual([1]);
    for (const cancel of cancels.slice(1)) cancel();
    expect(listenersOf(source)).toEqual([1]);
    cancels[0]?.();
    cancels[0]?.();
    expect(listenersOf(source)).toEqual([0]);
    for (let i = 0; i < 3; i++) onAbort(source.signal, count);
    source.abort();
    expect(calls).toBe(3);
    expect(listenersOf(source)).toEqual([0]);
  });

  it("does not call a callback that an earlier one cancelled", () => {
    const source = new AbortController();
    const called: string[] = [];
    onAbort(source.signal, () => {
      called.push("first");
      cancel();
    });
    const cancel = onAbort(source.signal, () => called.push("second"));
    source.abort();
    expect(called).toEqual(["first"]);
  });
});
