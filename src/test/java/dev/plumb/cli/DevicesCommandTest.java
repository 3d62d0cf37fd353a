package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.backend.GpuReport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class DevicesCommandTest {
  private static final GpuReport TWO_GPUS = new GpuReport(
      List.of(new GpuReport.Detection("platform", "linux-x86_64", Optional.empty(), List.of()),
          new GpuReport.Detection("cuBLAS 12", "/a/libcublas.so.12 (CUDA_HOME; used)", Optional.of("CUDA_HOME"), List.of())),
      List.of(
          new GpuReport.Gpu("cuda:0", "Old\u001b[2J", "6.1", 8L << 30, OptionalLong.empty(), Optional.of("too old")),
          new GpuReport.Gpu("cuda:1", "New", "8.9", 24L << 30, OptionalLong.of(23L << 30), Optional.empty())),
      true, "usable: --device cuda:1 (New)", Optional.empty());

  private static final GpuReport NOTHING = new GpuReport(
      List.of(new GpuReport.Detection("driver", "no libcuda.so.1", Optional.empty(), List.of("/lib64", "/usr/lib64"))),
      List.of(), false, "not usable: there is no driver", Optional.of("install one"));

  @Test
  void gpusAreATableAndTheVerdictIsTheLastLine() {
    assertEquals("""
        component  found
        platform   linux-x86_64
        cuBLAS 12  /a/libcublas.so.12 (CUDA_HOME; used)

        device  GPU      compute capability  memory MiB  free MiB
        cuda:0  Old?[2J                 6.1        8192   unknown
        cuda:1  New                     8.9       24576     23552

        GPU: usable: --device cuda:1 (New)
        """, printed(TWO_GPUS));
  }

  @Test
  void missingComponentIsShownWithTheFoldersSearchedAndTheRemedyIsTheLastLine() {
    assertEquals("""
        component  found
        driver     no libcuda.so.1 in
                     /lib64
                     /usr/lib64

        GPU: not usable: there is no driver
        remedy: install one
        """, printed(NOTHING));
  }

  @Test
  void reportIsWrittenAsJson() throws IOException {
    JsonNode report = written(TWO_GPUS);
    assertTrue(report.get("usable").booleanValue());
    assertTrue(report.get("remedy").isNull());
    assertTrue(report.get("findings").get(0).get("source").isNull());
    assertEquals("CUDA_HOME", report.get("findings").get(1).get("source").textValue());
    assertEquals("too old", report.get("gpus").get(0).get("fault").textValue());
    assertTrue(report.get("gpus").get(0).get("freeMemoryBytes").isNull());
    assertEquals(23L << 30, report.get("gpus").get(1).get("freeMemoryBytes").longValue());
    JsonNode nothing = written(NOTHING);
    assertEquals("not usable: there is no driver", nothing.get("verdict").textValue());
    assertEquals("install one", nothing.get("remedy").textValue());
    assertEquals("/usr/lib64", nothing.get("findings").get(0).get("lookedIn").get(1).textValue());
  }

  private static String printed(GpuReport report) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      DevicesCommand.print(report, out);
    }
    return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  private static JsonNode written(GpuReport report) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DevicesCommand.write(report, bytes);
    return new ObjectMapper().readTree(bytes.toByteArray());
  }
}
