import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { startBareSession } from "../src/engine/bare-session.ts";
import { cudaReason } from "../src/engine/cuda-reason.ts";
import { chooseProvider, probeCuda, type CudaProbe } from "../src/engine/choose-provider.ts";

/** The answer of a device; the probe itself runs for real below, and finds none on a machine without a GPU. */
const answering =
  (failure: string | undefined): CudaProbe =>
  () =>
    Promise.resolve(failure);
const MISSING = "no device";

describe("the choice of a provider", () => {
  test.each([
    ["auto", undefined, { ok: true, value: { provider: "cuda" } }],
    ["auto", MISSING, { ok: true, value: { provider: "cpu", cudaFailure: MISSING } }],
    ["cuda", undefined, { ok: true, value: { provider: "cuda" } }],
    ["cuda", MISSING, { ok: false, error: { code: "cuda_unavailable", detail: MISSING } }],
    ["cpu", undefined, { ok: true, value: { provider: "cpu" } }],
  ] as const)("of %s, with the probe saying %s", async (wanted, failure, outcome) => {
    expect(await chooseProvider(wanted, 0, answering(failure))).toMatchObject(outcome);
  });

  test("the CPU is not probed for a device", async () => {
    const probe: CudaProbe = () => Promise.reject(new Error("asked"));
    expect(await chooseProvider("cpu", 0, probe)).toMatchObject({ ok: true, value: { provider: "cpu" } });
  });

  test("REQUIRE_CUDA demands CUDA, and contradicts EMBED_PROVIDER=cpu", () => {
    expect(readConfig({ REQUIRE_CUDA: "1" })).toMatchObject({ ok: true, value: { provider: "cuda" } });
    expect(readConfig({})).toMatchObject({ ok: true, value: { provider: "auto" } });
    expect(readConfig({ REQUIRE_CUDA: "1", EMBED_PROVIDER: "cpu" })).toMatchObject({
      ok: false,
      error: { code: "config_invalid" },
    });
  });
});

test("of ONNX Runtime's error the reason is said that CUDA gave, or all of it where CUDA gave none", () => {
  const file = "file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=352";
  const call =
    "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 [with ERRTYPE = cudaError; bool THRW = true]";
  const reason = "CUDA failure 100: no CUDA-capable device is detected";
  expect(
    cudaReason(`${call} ${reason} ; GPU=-1 ; hostname=vm ; ${file} ; expr=cudaSetDevice(info_.device_id); \n\n`),
  ).toBe(reason);
  const missing = "libcublasLt.so.13: cannot open shared object file";
  expect(cudaReason(`${missing}\n`)).toBe(missing);
});

const cudaFailure = await probeCuda(0);

test("ONNX Runtime is kept from reporting to its vendor before it is loaded", async () => {
  delete process.env["ORT_DISABLE_TELEMETRY"];
  const graphPath = join(tmpdir(), "there-is-no-such-graph.onnx");
  await expect(startBareSession({ graphPath, config: { pooling: "mean" } })).rejects.toThrow(/./u);
  expect(process.env["ORT_DISABLE_TELEMETRY"]).toBe("1");
});

describe.runIf(cudaFailure !== undefined)("a machine without CUDA", () => {
  test("with REQUIRE_CUDA=1 the server refuses to start and says why", async () => {
    const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
      env: { ...process.env, PORT: "0", REQUIRE_CUDA: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = text(child.stdout);
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(1);
    expect(JSON.parse((await output).trim())).toMatchObject({
      event: "start_failed",
      code: "cuda_unavailable",
      detail: cudaFailure,
    });
  });
});
