package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Version;
import dev.plumb.backend.GpuReport;
import dev.plumb.json.JsonOutput;
import dev.plumb.store.AtomicFile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code plumb devices}: lists the GPUs, and says what to do if none can be used. */
final class DevicesCommand implements Command {
  private static final long MIB = 1 << 20;

  @Override
  public String name() {
    return "devices";
  }

  @Override
  public String summary() {
    return "List the GPUs, and what to do if none can be used";
  }

  @Override
  public String usage() {
    return "[options]";
  }

  @Override
  public String details() {
    return """
        Looks for the NVIDIA driver and for cuBLAS, asks the driver for its GPUs, and prints a verdict; if
        no GPU can be used, also the next thing to do. Exits with 0 if a GPU can be used, otherwise with 3.
        """;
  }

  @Override
  public Options options() {
    return Flags.options(Flags.JSON);
  }

  @Override
  public int run(Arguments arguments, PrintStream out, PrintStream err) {
    arguments.requireNoOperand();
    Optional<Path> json = arguments.path(Flags.JSON);
    new CommandFiles(arguments).writes(Flags.JSON).check();
    GpuReport report = Backends.gpuReport();
    print(report, out);
    out.flush();
    json.ifPresent(file -> AtomicFile.write(file, sink -> write(report, sink)));
    return report.usable() ? ExitCode.DONE : ExitCode.DEVICE_UNAVAILABLE;
  }

  static void print(GpuReport report, PrintStream out) {
    TextTable detections = new TextTable().left("component").left("found");
    for (GpuReport.Detection detection : report.findings()) {
      detections.row(List.of(detection.subject(), detection.found() + (detection.lookedIn().isEmpty() ? "" : " in")));
      detection.lookedIn().forEach(place -> detections.row(List.of("", "  " + place)));
    }
    detections.print(out);
    out.println();
    if (!report.gpus().isEmpty()) {
      TextTable gpus = new TextTable().left("device").left("GPU").right("compute capability")
          .right("memory MiB").right("free MiB");
      for (GpuReport.Gpu gpu : report.gpus()) {
        gpus.row(List.of(gpu.device(), gpu.name(), gpu.computeCapability(), String.valueOf(gpu.memory() / MIB),
            gpu.freeMemory().isPresent() ? String.valueOf(gpu.freeMemory().getAsLong() / MIB) : "unknown"));
      }
      gpus.print(out);
      out.println();
    }
    out.println(TerminalText.sanitize("GPU: " + report.verdict()));
    report.remedy().ifPresent(remedy -> out.println(TerminalText.sanitize("remedy: " + remedy)));
  }

  static void write(GpuReport report, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", Version.CURRENT);
      json.writeBooleanField("usable", report.usable());
      json.writeStringField("verdict", report.verdict());
      json.writeStringField("remedy", report.remedy().orElse(null));
      json.writeArrayFieldStart("findings");
      for (GpuReport.Detection detection : report.findings()) {
        json.writeStartObject();
        json.writeStringField("what", detection.subject());
        json.writeStringField("found", detection.found());
        json.writeStringField("source", detection.source().orElse(null));
        json.writeArrayFieldStart("lookedIn");
        for (String place : detection.lookedIn()) {
          json.writeString(place);
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeArrayFieldStart("gpus");
      for (GpuReport.Gpu gpu : report.gpus()) {
        json.writeStartObject();
        json.writeStringField("device", gpu.device());
        json.writeStringField("name", gpu.name());
        json.writeStringField("computeCapability", gpu.computeCapability());
        json.writeNumberField("memoryBytes", gpu.memory());
        json.writeFieldName("freeMemoryBytes");
        if (gpu.freeMemory().isPresent()) {
          json.writeNumber(gpu.freeMemory().getAsLong());
        } else {
          json.writeNull();
        }
        json.writeStringField("fault", gpu.fault().orElse(null));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }
}
