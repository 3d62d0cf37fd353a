package dev.plumb.backend.cuda.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * Machine code for a GPU, as ptxas writes it: an ELF file with a section {@code .text.NAME} per kernel. Offsets are those of the
 * ELF specification; what NVIDIA adds to it is as ptxas 13.0 writes it (ABI version 8).
 */
final class Cubin {
  private static final int MAGIC = 0x464c457f;
  private static final int CLASS = 4;
  private static final int CLASS_64 = 2;
  private static final int ABI_VERSION = 8;
  private static final int MACHINE = 18;
  private static final int MACHINE_CUDA = 190;
  private static final int SECTION_HEADERS = 40;
  private static final int FLAGS = 48;
  private static final int SECTION_HEADER_COUNT = 60;
  private static final int SECTION_OF_NAMES = 62;
  private static final int SECTION_HEADER_BYTES = 64;
  private static final int SECTION_OFFSET = 24;
  private static final int SECTION_SIZE = 32;
  private static final int SECTION_LINK = 40;
  private static final int SYMBOL_BYTES = 24;
  private static final int SYMBOL_INFO = 4;
  private static final int GLOBAL_FUNCTION = 0x12;

  /** A kernel's constant bank 0 begins with what the driver puts there on sm_90; its parameters follow. */
  private static final int PARAMETERS_IN_BANK = 0x210;

  /** An attribute is a byte for its format, one for what it is, and two for its value or the length of the value that follows. */
  private static final int ATTRIBUTE_HEADER_BYTES = 4;
  private static final int VALUE_FOLLOWS = 4;
  private static final int MAX_THREADS = 0x05;
  private static final int MIN_STACK_SIZE = 0x12;
  private static final int REGISTER_COUNT = 0x2f;

  /**
   * The resources of a kernel.
   *
   * @param registers per thread
   * @param stackBytes per thread, with those of the functions that it calls: local arrays, spilled registers
   * @param maxThreads of a block, by {@code .maxntid} of the PTX; 0 where it has none
   */
  record Resources(int registers, int stackBytes, int maxThreads) {}

  private final ByteBuffer file;
  private final Map<String, Integer> sections = new HashMap<>();

  private Cubin(ByteBuffer file) {
    this.file = file;
    int headers = Math.toIntExact(file.getLong(SECTION_HEADERS));
    int names = headers + SECTION_HEADER_BYTES * file.getShort(SECTION_OF_NAMES);
    for (int i = 0; i < file.getShort(SECTION_HEADER_COUNT); i++) {
      int header = headers + SECTION_HEADER_BYTES * i;
      sections.put(text(field(names, SECTION_OFFSET) + file.getInt(header)), header);
    }
  }

  /** Reads a file that must be a cubin of the ABI version that is known here. */
  static Cubin read(Path path) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    if (file.getInt(0) != MAGIC || file.get(CLASS) != CLASS_64 || file.getShort(MACHINE) != MACHINE_CUDA
        || file.get(ABI_VERSION) != ABI_VERSION) {
      throw new IOException(path + ": not a cubin of ABI version " + ABI_VERSION);
    }
    return new Cubin(file);
  }

  /** Returns the compute capability that it is for, 90 for 9.0. */
  int architecture() {
    return file.getInt(FLAGS) >> 8 & 0xff;
  }

  /** Returns the names of the global functions that have code. */
  Set<String> kernels() {
    Set<String> kernels = new TreeSet<>();
    int symbols = sections.get(".symtab");
    int names = Math.toIntExact(file.getLong(SECTION_HEADERS)) + SECTION_HEADER_BYTES * file.getInt(symbols + SECTION_LINK);
    int end = field(symbols, SECTION_OFFSET) + field(symbols, SECTION_SIZE);
    for (int at = field(symbols, SECTION_OFFSET); at < end; at += SYMBOL_BYTES) {
      String name = text(field(names, SECTION_OFFSET) + file.getInt(at));
      if (file.get(at + SYMBOL_INFO) == GLOBAL_FUNCTION && sections.containsKey(".text." + name)) {
        kernels.add(name);
      }
    }
    return kernels;
  }

  /** Returns how many bytes of parameters a kernel takes. */
  int parameterBytes(String kernel) {
    return field(sections.get(".nv.constant0." + kernel), SECTION_SIZE) - PARAMETERS_IN_BANK;
  }

  /** Returns what each kernel takes, by its name. */
  Map<String, Resources> resources() {
    Map<Integer, Integer> registers = new HashMap<>();
    Map<Integer, Integer> stacks = new HashMap<>();
    forEachAttribute(".nv.info", (attribute, at) -> {
      if (attribute == REGISTER_COUNT) {
        registers.put(file.getInt(at), file.getInt(at + Integer.BYTES));
      } else if (attribute == MIN_STACK_SIZE) {
        stacks.put(file.getInt(at), file.getInt(at + Integer.BYTES));
      }
    });
    Map<String, Resources> resources = new HashMap<>();
    registers.forEach((symbol, count) -> resources.put(symbolName(symbol),
        new Resources(count, stacks.get(symbol), maxThreads(symbolName(symbol)))));
    resources.keySet().retainAll(kernels());
    return resources;
  }

  private int maxThreads(String kernel) {
    int[] threads = {0};
    forEachAttribute(".nv.info." + kernel, (attribute, at) -> {
      if (attribute == MAX_THREADS) {
        threads[0] = file.getInt(at) * file.getInt(at + Integer.BYTES) * file.getInt(at + 2 * Integer.BYTES);
      }
    });
    return threads[0];
  }

  private void forEachAttribute(String section, BiConsumer<Integer, Integer> consumer) {
    int header = sections.get(section);
    int end = field(header, SECTION_OFFSET) + field(header, SECTION_SIZE);
    int at = field(header, SECTION_OFFSET);
    while (at < end) {
      int value = at + ATTRIBUTE_HEADER_BYTES;
      boolean follows = file.get(at) == VALUE_FOLLOWS;
      if (follows) {
        consumer.accept((int) file.get(at + 1), value);
      }
      at = value + (follows ? Short.toUnsignedInt(file.getShort(at + 2)) : 0);
    }
  }

  private String symbolName(int symbol) {
    int symbols = sections.get(".symtab");
    int names = Math.toIntExact(file.getLong(SECTION_HEADERS)) + SECTION_HEADER_BYTES * file.getInt(symbols + SECTION_LINK);
    return text(field(names, SECTION_OFFSET) + file.getInt(field(symbols, SECTION_OFFSET) + symbol * SYMBOL_BYTES));
  }

  private int field(int header, int offset) {
    return Math.toIntExact(file.getLong(header + offset));
  }

  private String text(int from) {
    int end = from;
    while (file.get(end) != 0) {
      end++;
    }
    return new String(file.array(), from, end - from, StandardCharsets.US_ASCII);
  }
}
