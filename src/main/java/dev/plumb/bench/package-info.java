/**
 * The measurements of {@code plumb bench}: this machine's ceilings (arithmetic peak, memory bandwidth, matrix products), and the
 * speed of fixed training workloads compared with them. Start reading at {@link dev.plumb.bench.CpuBench} and {@link
 * dev.plumb.bench.GpuBench}; {@link dev.plumb.bench.Workloads} defines the workloads.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.bench;
