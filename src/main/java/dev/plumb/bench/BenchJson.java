package dev.plumb.bench;

import static dev.plumb.json.JsonOutput.number;
import static dev.plumb.json.JsonOutput.numbers;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.bench.BenchResult.Ceiling;
import dev.plumb.bench.BenchResult.Measurement;
import dev.plumb.bench.BenchResult.WorkloadResult;
import dev.plumb.bench.Workload.GpuWorkload;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.OutputStream;

/** Benchmark results as JSON: every measurement with all its runs. Unknown numbers are null. */
public final class BenchJson {
  private BenchJson() {}

  /**
   * Writes the results as one JSON object.
   *
   * @param plumbVersion version of the program that measured
   */
  public static void write(BenchResult result, String plumbVersion, OutputStream out) throws IOException {
    JsonOutput.write(out, json -> {
      json.writeStartObject();
      json.writeStringField("plumb", plumbVersion);
      json.writeBooleanField("complete", result.complete());
      json.writeObjectFieldStart("machine");
      json.writeStringField("processor", result.machine().processor());
      json.writeNumberField("processors", result.machine().processors());
      json.writeStringField("java", result.machine().java());
      json.writeStringField("system", result.machine().system());
      json.writeStringField("library", result.library().orElse(null));
      number(json, "othersBusy", result.backgroundLoad().orElse(Double.NaN));
      json.writeEndObject();
      json.writeNumberField("runs", result.plan().runs());
      json.writeBooleanField("wholeRuns", result.plan().wholeRuns());
      if (result.gpuPlan().isPresent()) {
        write(result.gpuPlan().get(), json);
      }
      json.writeArrayFieldStart("ceilings");
      for (Ceiling ceiling : result.ceilings()) {
        json.writeStartObject();
        json.writeStringField("name", ceiling.name());
        json.writeStringField("unit", ceiling.unit());
        json.writeNumberField("threads", ceiling.threads());
        json.writeStringField("way", ceiling.schedule().isEmpty() ? null : ceiling.schedule());
        write(json, "rate", ceiling.rate());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeArrayFieldStart("workloads");
      for (WorkloadResult workload : result.workloads()) {
        write(workload, json);
      }
      json.writeEndArray();
      json.writeArrayFieldStart("notMeasured");
      for (String line : result.notMeasured()) {
        json.writeString(line);
      }
      json.writeEndArray();
      json.writeEndObject();
    });
  }

  private static void write(GpuBench.Plan plan, JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("gpu");
    json.writeNumberField("runs", plan.runs());
    json.writeNumberField("warmUpSeconds", plan.warmUpSeconds());
    json.writeNumberField("secondsOfRun", plan.minSeconds());
    json.writeEndObject();
  }

  private static void write(WorkloadResult result, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", result.workload().name());
    json.writeStringField("family", result.workload().family());
    json.writeStringField("what", result.workload().description());
    json.writeObjectFieldStart("device");
    json.writeStringField("kind", result.device().kind().key());
    json.writeStringField("name", result.device().name());
    json.writeEndObject();
    json.writeFieldName("threads");
    if (result.threads() > 0) {
      json.writeNumber(result.threads());
    } else {
      json.writeNull();
    }
    json.writeStringField("planner", result.planner().orElse(null));
    json.writeNumberField("replicas", result.workload().replicas());
    json.writeStringField("precision", result.workload().precision().key());
    json.writeStringField("unit", result.workload().unit().symbol());
    write(json, "achieved", result.achieved());
    if (result.bound().isPresent()) {
      json.writeStringField("bound", result.bound().get().name());
      write(json, "ceiling", result.bound().get().ceiling());
      write(json, "ratio", result.bound().get().ratio());
    } else {
      json.writeNullField("bound");
    }
    number(json, "finalLoss", result.finalLoss().orElse(Double.NaN));
    if (result.workload() instanceof GpuWorkload gpu) {
      json.writeNumberField("stepsToFinalLoss", gpu.stepsToLoss());
    }
    json.writeFieldName("sessionBytes");
    if (result.sessionBytes().isPresent()) {
      json.writeNumber(result.sessionBytes().getAsLong());
    } else {
      json.writeNull();
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, String key, Measurement measurement) throws IOException {
    json.writeObjectFieldStart(key);
    number(json, "median", measurement.median());
    number(json, "min", measurement.min());
    number(json, "max", measurement.max());
    numbers(json, "runs", measurement.values());
    json.writeEndObject();
  }
}
