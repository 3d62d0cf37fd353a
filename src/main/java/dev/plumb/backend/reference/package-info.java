/**
 * The reference backend, which other backends are checked against: plain loops over doubles. Start with
 * {@link dev.plumb.backend.reference.ReferenceNetwork}, which has the formulas of a step.
 *
 * <p>Internal: not part of Plumb's API; it may change without notice.
 */
package dev.plumb.backend.reference;
