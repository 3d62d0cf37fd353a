package dev.plumb.bench;

import static dev.plumb.json.JsonOutput.number;
import static dev.plumb.json.JsonOutput.numbers;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonOutput;
import java.io.IOException;
import java.io.OutputStream;

/** What was measured for machines: every figure with all its runs. Numbers that are not known are null. */
public final class BenchJson {
  private BenchJson() {}

  /** @param plumbVersion of the program that measured */
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
      number(json, "othersBusy", result.othersBusy().orElse(Double.NaN));
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
        json.writeStringField("way", ceiling.way().isEmpty() ? null : ceiling.way());
        figure(json, "rate", ceiling.rate());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeArrayFieldStart("workloads");
      for (Outcome outcome : result.outcomes()) {
        write(outcome, json);
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

  private static void write(GpuPlan plan, JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("gpu");
    json.writeNumberField("runs", plan.runs());
    json.writeNumberField("warmUpSeconds", plan.warmUpSeconds());
    json.writeNumberField("secondsOfRun", plan.secondsOfRun());
    json.writeEndObject();
  }

  private static void write(Outcome outcome, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", outcome.workload().name());
    json.writeStringField("family", outcome.workload().family());
    json.writeStringField("what", outcome.workload().what());
    json.writeObjectFieldStart("device");
    json.writeStringField("kind", outcome.device().kind().key());
    json.writeStringField("name", outcome.device().name());
    json.writeEndObject();
    json.writeFieldName("threads");
    if (outcome.threads() > 0) {
      json.writeNumber(outcome.threads());
    } else {
      json.writeNull();
    }
    json.writeStringField("planner", outcome.result().planner().orElse(null));
    json.writeNumberField("replicas", outcome.workload().replicas());
    json.writeStringField("precision", outcome.workload().precision().key());
    json.writeStringField("unit", outcome.workload().unit().symbol());
    figure(json, "achieved", outcome.achieved());
    if (outcome.bound().isPresent()) {
      json.writeStringField("bound", outcome.bound().get().name());
      figure(json, "ceiling", outcome.bound().get().ceiling());
      figure(json, "ratio", outcome.bound().get().ratio());
    } else {
      json.writeNullField("bound");
    }
    number(json, "finalLoss", outcome.result().finalLoss().orElse(Double.NaN));
    if (outcome.workload() instanceof GpuWorkload gpu) {
      json.writeNumberField("stepsToFinalLoss", gpu.stepsToLoss());
    }
    json.writeFieldName("sessionBytes");
    if (outcome.sessionBytes().isPresent()) {
      json.writeNumber(outcome.sessionBytes().getAsLong());
    } else {
      json.writeNull();
    }
    json.writeEndObject();
  }

  private static void figure(JsonGenerator json, String key, Figure figure) throws IOException {
    json.writeObjectFieldStart(key);
    number(json, "median", figure.median());
    number(json, "min", figure.min());
    number(json, "max", figure.max());
    numbers(json, "runs", figure.values());
    json.writeEndObject();
  }
}
