import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What NVIDIA's driver says of a GPU now. */
export interface DeviceState {
  readonly name: string;
  readonly memoryMib: number;
  /** Share of the last moments in which any kernel ran, in percent. */
  readonly busyPercent: number;
}

/** Asks `nvidia-smi` for the first GPU. Undefined where there is none. */
export async function deviceState(): Promise<DeviceState | undefined> {
  const query = ["--query-gpu=name,memory.used,utilization.gpu", "--format=csv,noheader,nounits"];
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", query);
    const [name = "", memory, busy] = (stdout.split("\n")[0] ?? "").split(",").map((cell) => cell.trim());
    return { name, memoryMib: Number(memory), busyPercent: Number(busy) };
  } catch {
    return undefined;
  }
}
