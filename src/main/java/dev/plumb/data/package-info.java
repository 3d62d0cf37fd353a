/**
 * Tables and data sets: reading CSV, NPY, NPZ and IDX files, splitting rows, and encoding columns as the numbers that a network
 * takes. Part of Plumb's API; start with {@link dev.plumb.data.TableReader} and {@link dev.plumb.data.TableEncoding}.
 */
package dev.plumb.data;
