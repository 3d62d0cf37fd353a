/**
 * NumPy's legacy random generator, reproduced bit for bit; start with {@link dev.plumb.random.NumpyRandom}. Internal: not part of
 * Plumb's API; it may change without notice.
 */
package dev.plumb.random;
