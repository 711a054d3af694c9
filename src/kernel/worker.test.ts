import { expect, test } from "vitest";
import * as b from "./build.ts";
import { plan } from "./plan.ts";
import { call } from "./routine.ts";
import { compileThreads } from "./worker.ts";

const y = b.buffer("y", "s32", [64]);
const body = b.lanes("i", 64, (i) => [b.store(y, [i], b.mul(i, i))], { parallel: true });
const program = plan({
  storage: [{ name: "y", type: "s32", shape: [64], role: "output" }],
  calls: [call("squares", b.kernel("squares", [y], [body]), { y: "y" })],
});

test("threads share a loop, run after run", async () => {
  const runner = await compileThreads(program, 3);
  for (let run = 0; run < 100; run++) {
    runner.view("y").fill(-1);
    runner.run();
    expect(Array.from(runner.view("y"))).toEqual(Array.from({ length: 64 }, (_, i) => i * i));
  }
  await runner.stop();
});

test("threads that wait for the next run take no time of the processor", async () => {
  const runner = await compileThreads(program, 3);
  runner.run();
  await new Promise((resolve) => setTimeout(resolve, 50)); // the end of what the run left to do
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { user, system } = process.cpuUsage(before);
  // two spinning threads would take 800 ms
  expect((user + system) / 1000).toBeLessThan(200);
  await runner.stop();
});

test("a thread that has died is noticed, and the error says what to do", async () => {
  const runner = await compileThreads(program, 2, { patienceMs: 200 });
  runner.run();
  await runner.stop();
  expect(() => runner.run()).toThrow("a thread has stopped answering");
});
