/**
 * The parts of the CPU backend that do not depend on the precision: threads, tiles, the interface of matrix products, metrics.
 * Start with {@link dev.plumb.backend.cpu.engine.Replicas}.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.cpu.engine;
