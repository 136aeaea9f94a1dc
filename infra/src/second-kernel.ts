/** Linux with cgroup v2 in a process: Debian's user-mode-linux. For tests, on machines whose own cgroups are v1. */
export { runInSecondKernel, type SecondKernelResult, type SecondKernelRun } from "./second-kernel/kernel.ts";
export { runSuiteInSecondKernel, type SuiteResult } from "./second-kernel/suite.ts";
