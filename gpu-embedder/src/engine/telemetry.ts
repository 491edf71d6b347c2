/**
 * ONNX Runtime's official Linux builds (1.29 and later) report usage to their vendor unless this variable is set when the library is loaded. A server that
 * sees users' texts reports to nobody. To be called on the main thread, whose environment native code sees, before the first worker loads the library.
 */
export function turnTelemetryOff(): void {
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
}
