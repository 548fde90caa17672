//! The numbers in the text format of Prometheus, printed or served over HTTP.

use std::{fmt::Write as _, path::Path};

use terzetto::{
    Error, TaskStatus, fail_after,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
};
use terzetto_executor::{
    BoxError,
    job::{JobReport, JobState, job_reports},
};

use crate::commands::{print_line, run::status::Status};

/// A metric: name, type, help, and its values with their labels.
struct Metric<'a> {
    name: &'a str,
    kind: &'a str,
    help: &'a str,
    values: Vec<(String, f64)>,
}

/// The numbers of all jobs.
pub fn text(jobs: &[JobReport]) -> String {
    let of_jobs = |value: &dyn Fn(&JobReport) -> Option<f64>| -> Vec<(String, f64)> {
        jobs.iter().filter_map(|job| Some((labels(job, None), value(job)?))).collect()
    };
    let of_works = |value: &dyn Fn(&terzetto_executor::WorkStatistics) -> Option<f64>| -> Vec<(String, f64)> {
        let works = jobs.iter().flat_map(|job| job.works.iter().map(move |work| (job, work)));
        works.filter_map(|(job, work)| Some((labels(job, Some(&work.work)), value(work)?))).collect()
    };
    let metric = |name, kind, help, values| Metric { name, kind, help, values };
    let metrics = [
        metric(
            "job_running",
            "gauge",
            "Does the job run?",
            of_jobs(&|job| Some(if job.state == JobState::Running { 1.0 } else { 0.0 })),
        ),
        metric("items_done_total", "counter", "Items computed.", of_jobs(&|job| Some(job.done as f64))),
        metric(
            "items_failed_total",
            "counter",
            "Items that failed.",
            of_jobs(&|job| Some(job.failed as f64)),
        ),
        metric("items_expected", "gauge", "Items to compute.", of_jobs(&|job| Some(job.expected? as f64))),
        metric(
            "work_calls_total",
            "counter",
            "Calls of a work that have ended.",
            of_works(&|work| Some(work.calls as f64)),
        ),
        metric(
            "work_failed_total",
            "counter",
            "Calls that have failed.",
            of_works(&|work| Some(work.failed as f64)),
        ),
        metric(
            "work_retries_total",
            "counter",
            "Attempts that were made again.",
            of_works(&|work| Some(work.retries as f64)),
        ),
        metric(
            "work_busy_seconds_total",
            "counter",
            "Time of all calls together.",
            of_works(&|work| Some(work.busy.as_secs_f64())),
        ),
        metric("work_running", "gauge", "Calls that run.", of_works(&|work| Some(work.running as f64))),
        metric(
            "work_waiting",
            "gauge",
            "Items that wait for the work.",
            of_works(&|work| Some(work.waiting as f64)),
        ),
    ];
    let mut text = String::new();
    for Metric { name, kind, help, values } in metrics {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# HELP terzetto_{name} {help}\n# TYPE terzetto_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "terzetto_{name}{{{labels}}} {value}");
        }
    }
    text
}

fn labels(job: &JobReport, work: Option<&str>) -> String {
    let name = job.folder.file_name().unwrap_or_default().to_string_lossy();
    let mut labels = format!("job_folder=\"{}\",topology=\"{}\"", escape(&name), escape(&job.topology));
    for (label, value) in [("part", job.shard.as_deref()), ("work", work)] {
        if let Some(value) = value {
            labels.push_str(&format!(",{label}=\"{}\"", escape(value)));
        }
    }
    labels
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Serves the numbers at `HOST:PORT` until a Ctrl-C.
pub fn serve(folder: &Path, address: &str) -> Result<Status, BoxError> {
    let wrong = || format!("`{address}` is no address; say HOST:PORT, such as 127.0.0.1:9464");
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse::<u16>().map_err(|_| wrong())?;
    let host = host.trim_matches(['[', ']']);
    print_line(&format!("numbers of {} at http://{address}/metrics", folder.display()));
    let served = terzetto::run(serve_tcp(
        port,
        (!host.is_empty()).then_some(host),
        async |stream| {
            // A client that goes away, or is too slow, is no reason to end.
            if let Err(error) = fail_after(10.0, answer(folder, stream)).await
                && error.is_cancelled()
            {
                return Err(error);
            }
            Ok(())
        },
        TaskStatus::ignored(),
    ));
    match served {
        Err(error) if error.is_interrupted() => Ok(Status::Interrupted(130)),
        served => served.map(|()| Status::Done).map_err(Into::into),
    }
}

/// Answers one request, whatever it asks for.
async fn answer(folder: &Path, stream: TcpStream) -> Result<(), Error> {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    // The request ends with an empty line. Nothing in it matters.
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < 16 * 1024 {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    let body = text(&job_reports(folder));
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.send_all(head.as_bytes()).await?;
    stream.send_all(body.as_bytes()).await?;
    Ok(())
}
