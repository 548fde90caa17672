use super::*;

fn detect(variables: &[(&str, &str)]) -> Result<Option<ClusterTask>, ShardError> {
    let found =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    ClusterTask::detect(found)
}

/// The part that these variables mean, as text; `whole` if it is the whole series.
fn part(variables: &[(&str, &str)], parts: Option<&str>) -> Result<String, String> {
    let parts = parts.map(|text| text.parse().expect("parts"));
    let task = detect(variables).map_err(|error| error.to_string())?.expect("a task");
    let part = task.part(parts).map_err(|error| error.to_string())?;
    Ok(part.map_or("whole".to_owned(), |part| part.to_string()))
}

fn slurm(
    id: &'static str,
    min: &'static str,
    max: &'static str,
    count: &'static str,
) -> [(&'static str, &'static str); 4] {
    [
        ("SLURM_ARRAY_TASK_ID", id),
        ("SLURM_ARRAY_TASK_MIN", min),
        ("SLURM_ARRAY_TASK_MAX", max),
        ("SLURM_ARRAY_TASK_COUNT", count),
    ]
}

#[test]
fn nothing_is_no_task() {
    assert_eq!(detect(&[("PATH", "/bin")]), Ok(None));
}

#[test]
fn arrays_that_tell_their_number() {
    assert_eq!(part(&slurm("7", "5", "8", "4"), None).as_deref(), Ok("3/4"));
    let mut stepped = slurm("20", "0", "30", "4").to_vec();
    stepped.push(("SLURM_ARRAY_TASK_STEP", "10"));
    assert_eq!(part(&stepped, None).as_deref(), Ok("3/4"));
    let grid =
        [("SGE_TASK_ID", "7"), ("SGE_TASK_FIRST", "1"), ("SGE_TASK_LAST", "9"), ("SGE_TASK_STEPSIZE", "2")];
    assert_eq!(part(&grid, None).as_deref(), Ok("4/5"));
    let lsf = [("LSB_JOBINDEX", "3"), ("LSB_JOBINDEX_END", "16")];
    assert_eq!(part(&lsf, None).as_deref(), Ok("3/16"));
}

#[test]
fn jobs_that_are_no_arrays_take_the_whole() {
    assert_eq!(
        part(&[("SLURM_JOB_ID", "9"), ("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")], None).as_deref(),
        Ok("whole")
    );
    assert_eq!(part(&[("LSB_JOBID", "9"), ("LSB_JOBINDEX", "0")], None).as_deref(), Ok("whole"));
    let grid = [("JOB_ID", "9"), ("SGE_ROOT", "/opt"), ("SGE_TASK_ID", "undefined")];
    assert_eq!(part(&grid, None).as_deref(), Ok("whole"));
}

#[test]
fn arrays_that_do_not_tell_their_number_want_it_given() {
    for (name, index, parts, expected) in [
        ("PBS_ARRAY_INDEX", "3", "16", "3/16"),
        ("PBS_ARRAY_INDEX", "3", "0-15", "4/16"),
        ("PBS_ARRAYID", "0", "0-15", "1/16"),
        ("JOB_COMPLETION_INDEX", "0", "16", "1/16"),
        ("JOB_COMPLETION_INDEX", "15", "16", "16/16"),
        ("PARALLEL_SEQ", "2", "16", "2/16"),
    ] {
        let variables = [(name, index)];
        assert_eq!(part(&variables, Some(parts)).as_deref(), Ok(expected), "{name}");
        assert_eq!(part(&variables, None).as_deref(), Ok("whole"), "{name}");
        let says = detect(&variables).expect("a number").expect("a task").unknown_number();
        assert_eq!(says.is_some(), name != "PARALLEL_SEQ", "{name}");
    }
    let error = part(&[("PBS_ARRAY_INDEX", "0")], Some("16")).expect_err("tasks from 1");
    assert!(error.contains("task 0 of a PBS array is not among the tasks 1-16"), "{error}");
}

#[test]
fn tasks_that_are_submitted_again_are_the_same_parts() {
    for (variables, id) in [
        // --array=3,7 of 16
        (slurm("3", "3", "7", "2"), "3"),
        (slurm("7", "3", "7", "2"), "7"),
        // --array=2-3
        (slurm("2", "2", "3", "2"), "2"),
        // --array=5
        (slurm("5", "5", "5", "1"), "5"),
    ] {
        assert_eq!(part(&variables, Some("16")), Ok(format!("{id}/16")));
    }
    let error = part(&slurm("3", "3", "7", "2"), None).expect_err("gaps");
    assert!(error.contains("gaps") && error.contains("--parts"), "{error}");
}

#[test]
fn ranks_are_parts() {
    for (rank, size) in [
        ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("PMI_RANK", "PMI_SIZE"),
        ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ] {
        assert_eq!(part(&[(rank, "0"), (size, "4")], None).as_deref(), Ok("1/4"), "{rank}");
        assert_eq!(part(&[(rank, "3"), (size, "4")], Some("4")).as_deref(), Ok("4/4"), "{rank}");
        assert!(part(&[(rank, "3"), (size, "4")], Some("16")).is_err(), "{rank}");
        assert!(detect(&[(size, "4")]).is_err(), "{rank}");
        assert!(detect(&[(rank, "x"), (size, "4")]).is_err(), "{rank}");
        assert_eq!(detect(&[(rank, "0"), (size, "1")]), Ok(None), "{rank}");
    }
}

#[test]
fn processes_of_an_array_task_share_its_part() {
    let mut variables = slurm("3", "1", "16", "16").to_vec();
    variables.extend([("SLURM_PROCID", "1"), ("SLURM_STEP_NUM_TASKS", "2")]);
    assert_eq!(part(&variables, None).as_deref(), Ok("6/32"));
}

#[test]
fn one_part_is_the_whole() {
    assert_eq!(part(&slurm("3", "1", "16", "16"), Some("1")).as_deref(), Ok("whole"));
}

#[test]
fn a_task_has_a_name_of_its_own() {
    let id = |variables: &[(&str, &str)]| {
        detect(variables).expect("numbers").and_then(|task| task.id().map(str::to_owned)).unwrap_or_default()
    };
    let mut variables = slurm("3", "1", "16", "16").to_vec();
    variables.extend([("SLURM_ARRAY_JOB_ID", "4711"), ("SLURM_JOB_ID", "4714"), ("SLURM_PROCID", "0")]);
    assert_eq!(id(&variables), "slurm 4711_3");
    variables.push(("SLURM_STEP_ID", "0"));
    assert_eq!(id(&variables), "slurm 4711_3.0.0");
    assert_eq!(id(&[("PBS_JOBID", "12[3].head")]), "pbs 12[3].head");
    assert_eq!(id(&[("LSB_JOBID", "12"), ("LSB_JOBINDEX", "3")]), "lsf 12[3]");
    assert_eq!(id(&[("JOB_ID", "12"), ("SGE_ROOT", "/opt"), ("SGE_TASK_ID", "3")]), "sge 12.3");
    assert_eq!(id(&[("JOB_COMPLETION_INDEX", "3"), ("HOSTNAME", "piv-3")]), "kubernetes piv-3");
    // `JOB_ID` is anybody's word.
    assert_eq!(id(&[("JOB_ID", "12"), ("PMI_RANK", "0"), ("PMI_SIZE", "2")]), "");
}
