/**
 * Checks of a backend: every n-th training step against the double-precision reference ({@link dev.plumb.check.CheckedBackend}),
 * and gradients against finite differences of the loss ({@link dev.plumb.check.FiniteDifferences}). Internal: not part of Plumb's
 * API; it may change without notice.
 */
package dev.plumb.check;
