import { describe, expect, it } from "vitest";
import { Semaphore } from "../../../src/lib/base/semaphore.ts";

describe("a semaphore", () => {
  it("lets in as many as it has permits, the others in the order they came, also after a failure", async () => {
    const semaphore = new Semaphore(2);
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const tasks = [0, 1, 2, 3].map((id) =>
      semaphore.run(async () => {
        started.push(id);
        await new Promise<void>((resolve, reject) => finish.push(id === 0 ? () => reject(new Error("task")) : resolve));
        return id;
      }),
    );
    const outcomes = Promise.allSettled(tasks);
    await Promise.resolve();
    expect(started).toEqual([0, 1]);
    finish[0]?.();
    await expect(tasks[0]).rejects.toThrow("task");
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2]);
    finish[1]?.();
    await tasks[1];
    await Promise.resolve();
    expect(started).toEqual([0, 1, 2, 3]);
    finish[2]?.();
    finish[3]?.();
    expect((await outcomes).map((outcome) => outcome.status)).toEqual([
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
  });

  it("refuses to have no permit", () => {
    expect(() => new Semaphore(0)).toThrow("at least one permit");
  });
});
