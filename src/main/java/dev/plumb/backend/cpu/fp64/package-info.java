/**
 * The computations of the CPU backend in one precision. The build generates the package for single precision from the sources for
 * the other one, except for classes with constants of the precision. Start with
 * {@link dev.plumb.backend.cpu.fp64.DenseReplicas}; {@code RowNetwork} and {@code MatrixNetwork} contain the formulas of a step.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cpu.fp64;
