/**
 * The CPU backend. Start with {@link dev.plumb.backend.cpu.CpuBackend}, which chooses between rows and matrix products; the
 * computations are in {@code fp64}, from which the build generates {@code fp32}.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cpu;
