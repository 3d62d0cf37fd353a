package dev.plumb.backend.cuda.device;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the parameters of kernels from PTX. The driver does not check the length of an argument list and would read past its end,
 * so every launch is compared with these parameters first.
 */
final class PtxParameters {
  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)\\s*(?:\\(([^)]*)\\))?");
  /** {@code .param .u64 name}, or {@code .param .align 8 .b8 name[48]}. */
  private static final Pattern PARAMETER =
      Pattern.compile("\\.param\\s+(?:\\.align\\s+\\d+\\s+)?\\.[a-z]+(\\d+)\\s+\\w+(?:\\[(\\d+)])?");

  private PtxParameters() {}

  /** Returns the sizes in bytes of each kernel's parameters, by kernel name. */
  static Map<String, int[]> of(byte[] ptx) {
    Map<String, int[]> sizes = new HashMap<>();
    Matcher entry = ENTRY.matcher(new String(ptx, StandardCharsets.US_ASCII));
    while (entry.find()) {
      String parameters = entry.group(2) == null ? "" : entry.group(2);
      sizes.put(entry.group(1), PARAMETER.matcher(parameters).results()
          .mapToInt(found -> Integer.parseInt(found.group(1)) / 8
              * (found.group(2) == null ? 1 : Integer.parseInt(found.group(2))))
          .toArray());
    }
    return sizes;
  }
}
