package dev.plumb.store;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A named tensor of a file: its shape, row-major values, and in which type they are written. Values are widened to double or long
 * when read, which loses nothing; doubles are rounded to the nearest float when written as {@link Type#F32}. The arrays are not
 * copied: a tensor is made to be written, or to be taken apart after reading.
 */
public sealed interface Tensor {
  /** The longest array that every JVM makes. */
  int MAX_VALUES = Integer.MAX_VALUE - 8;

  /** The types that Plumb writes, little-endian, by the names that safetensors gives them. */
  enum Type {
    F64(8),
    F32(4),
    I64(8),
    I32(4);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** Of one value. */
    public int bytes() {
      return bytes;
    }

    boolean isReal() {
      return this == F64 || this == F32;
    }
  }

  String name();

  Type type();

  /** Empty for a single number. */
  List<Integer> shape();

  /** The number of values. */
  int size();

  /** @param values as many as the shape says */
  record Reals(String name, Type type, List<Integer> shape, double[] values) implements Tensor {
    public Reals {
      shape = List.copyOf(shape);
      requireConsistent(name, type.isReal(), shape, values.length);
    }

    @Override
    public int size() {
      return values.length;
    }
  }

  /** @param values as many as the shape says; for I32 each fits an int */
  record Integers(String name, Type type, List<Integer> shape, long[] values) implements Tensor {
    public Integers {
      shape = List.copyOf(shape);
      requireConsistent(name, !type.isReal(), shape, values.length);
      if (type == Type.I32 && LongStream.of(values).anyMatch(value -> value != (int) value)) {
        throw new IllegalArgumentException("tensor " + name + " has a value that no I32 holds");
      }
    }

    @Override
    public int size() {
      return values.length;
    }
  }

  /** @throws IllegalArgumentException when two have one name */
  static void requireDistinct(List<? extends Tensor> tensors) {
    Set<String> names = new HashSet<>();
    for (Tensor tensor : tensors) {
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors are called " + tensor.name());
      }
    }
  }

  private static void requireConsistent(String name, boolean typeFits, List<Integer> shape, int values) {
    if (!typeFits) {
      throw new IllegalArgumentException("tensor " + name + " has values of the other kind than its type");
    }
    long size = 1;
    for (int extent : shape) {
      size = Math.multiplyExact(size, extent);
    }
    if (size != values) {
      throw new IllegalArgumentException("tensor " + name + " of shape " + shape + " with " + values + " values");
    }
  }
}
