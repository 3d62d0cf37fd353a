package dev.plumb.study;

import dev.plumb.backend.DeviceInfo;
import java.util.List;

/**
 * The result of a study.
 *
 * @param setupSeconds time for everything except training: data, weights, opening sessions
 * @param runs ordered by network as in the study, then by seed
 */
public record StudyResult(StudySpec spec, DeviceInfo device, double setupSeconds, List<StudyRun> runs) {
  public List<StudyRun> diverged() {
    return runs.stream().filter(run -> run.divergedAtEpoch().isPresent()).toList();
  }
}
