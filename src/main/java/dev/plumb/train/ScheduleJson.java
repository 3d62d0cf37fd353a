package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.Schedule;
import java.io.IOException;
import java.util.Set;

/** The JSON form of a learning-rate schedule: its type, and its constants, which have defaults. */
final class ScheduleJson {
  private ScheduleJson() {}

  static Schedule read(JsonObject json) {
    return switch (json.parsed("type", Schedule.Kind::of)) {
      case CONSTANT -> {
        json.allowOnly(Set.of("type"));
        yield Schedule.Constant.DEFAULT;
      }
      case STEP -> {
        json.allowOnly(Set.of("type", "everyEpochs", "factor"));
        Schedule.Step step = Schedule.Step.DEFAULT;
        yield json.at(() -> new Schedule.Step(
            json.integer("everyEpochs", step.everyEpochs()), json.number("factor", step.factor())));
      }
      case COSINE -> {
        json.allowOnly(Set.of("type", "minimumRate"));
        yield json.at(() -> new Schedule.Cosine(json.number("minimumRate", Schedule.Cosine.DEFAULT.minimumRate())));
      }
      case EXPONENTIAL -> {
        json.allowOnly(Set.of("type", "factor"));
        yield json.at(() -> new Schedule.Exponential(json.number("factor", Schedule.Exponential.DEFAULT.factor())));
      }
      case PLATEAU -> {
        json.allowOnly(Set.of("type", "patience", "factor", "minimumRate"));
        Schedule.Plateau plateau = Schedule.Plateau.DEFAULT;
        yield json.at(() -> new Schedule.Plateau(
            json.integer("patience", plateau.patience()),
            json.number("factor", plateau.factor()),
            json.number("minimumRate", plateau.minimumRate())));
      }
    };
  }

  static void write(JsonGenerator json, String key, Schedule schedule) throws IOException {
    json.writeObjectFieldStart(key);
    json.writeStringField("type", schedule.kind().key());
    if (schedule instanceof Schedule.Step step) {
      json.writeNumberField("everyEpochs", step.everyEpochs());
      JsonOutput.number(json, "factor", step.factor());
    } else if (schedule instanceof Schedule.Cosine cosine) {
      JsonOutput.number(json, "minimumRate", cosine.minimumRate());
    } else if (schedule instanceof Schedule.Exponential exponential) {
      JsonOutput.number(json, "factor", exponential.factor());
    } else if (schedule instanceof Schedule.Plateau plateau) {
      json.writeNumberField("patience", plateau.patience());
      JsonOutput.number(json, "factor", plateau.factor());
      JsonOutput.number(json, "minimumRate", plateau.minimumRate());
    }
    json.writeEndObject();
  }
}
