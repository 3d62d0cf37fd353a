package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import java.util.List;

/**
 * A finished study.
 *
 * @param setupSeconds all that was not training: data, weights, opening sessions
 * @param runs network by network in the study's order, and within a network by rising seed
 */
public record StudyResult(StudySpec spec, DeviceInfo device, double setupSeconds, List<StudyRun> runs) {
  public List<StudyRun> diverged() {
    return runs.stream().filter(run -> run.divergedAtEpoch().isPresent()).toList();
  }
}
