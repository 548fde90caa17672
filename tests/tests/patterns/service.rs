//! PAT-09: services, which end after all that need them.

use std::cell::Cell;
use terzetto::{
    CancelScope, Error, channel, current_time, move_on_after, service::with_services, sleep, sleep_forever,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn pat_09_services_end_after_the_body_and_all_ordinary_tasks() {
    run_mock(async {
        let trace = &Trace::default();
        let value = with_services(async |n, services| {
            services.start_soon(async {
                let ended = sleep_forever().await;
                trace.note(format!("service@{}", current_time()));
                Ok(ended?)
            });
            n.start_soon(async {
                sleep(2.0).await?;
                trace.note("task");
                Ok(())
            });
            sleep(1.0).await?;
            trace.note("body");
            Ok("value")
        })
        .await?;
        assert_eq!((trace.text().as_str(), value), ("body task service@2", "value"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_an_ordinary_task_uses_a_service_in_its_last_step() {
    run_mock(async {
        let (ask, asked) = channel::<(i32, terzetto::Sender<i32>)>(0);
        let answers = &Cell::new(0);
        with_services(async |n, services| {
            services
                .start(async |status| {
                    status.started(())?;
                    while let Some((number, answer)) = asked.next().await? {
                        answer.send(number + 1).await?;
                    }
                    Ok(())
                })
                .await?;
            for number in 0..3 {
                let ask = &ask;
                n.start_soon(async move {
                    sleep(number).await?;
                    let (answer, answered) = channel(1);
                    ask.send((number, answer)).await?;
                    assert_eq!(answered.receive().await?, number + 1);
                    answers.set(answers.get() + 1);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(answers.get(), 3);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_a_service_that_cleans_up_is_waited_for_and_its_error_comes_out() {
    run_mock(async {
        let outcome = with_services(async |_, services| {
            services.start_soon(async {
                let _ = sleep_forever().await;
                CancelScope::new().shielded(true).run(async { Ok(sleep(3.0).await?) }).await?;
                Err(Error::msg("the log could not be flushed"))
            });
            terzetto::checkpoint().await?;
            Ok(())
        });
        let error = outcome.await.unwrap_err();
        assert_eq!(current_time(), 3.0);
        assert!(error.to_string().contains("could not be flushed"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_a_failure_of_either_kind_cancels_all_and_is_in_one_group() {
    run_mock(async {
        for fails in ["service", "task", "body"] {
            let ended = &Cell::new(0);
            let failing = async |who: &str| {
                if who == fails {
                    sleep(1.0).await?;
                    return Err(Error::msg(fails));
                }
                let outcome = sleep_forever().await;
                ended.set(ended.get() + 1);
                Ok(outcome?)
            };
            let failing = &failing;
            let error = with_services(async |n, services| {
                services.start_soon(failing("service"));
                n.start_soon(failing("task"));
                failing("body").await
            })
            .await
            .unwrap_err();
            assert_eq!(ended.get(), 2, "{fails}");
            let group = error.group().unwrap();
            assert_eq!((group.errors().len(), group.errors()[0].to_string().as_str()), (1, fails));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_a_cancellation_from_outside_comes_out() {
    run_mock(async {
        let outcome = with_services(async |n, services| {
            services.start_soon(async { Ok(sleep_forever().await?) });
            n.start_soon(async { Ok(sleep_forever().await?) });
            Ok(1)
        });
        assert!(move_on_after(1.0, outcome).await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_failures_of_both_kinds_are_both_returned() {
    run_mock(async {
        let error = with_services(async |n, services| {
            services.start_soon(async {
                let _ = sleep_forever().await;
                Err(Error::msg("of the service"))
            });
            n.start_soon(async { Err(Error::msg("of the task")) });
            Ok(())
        })
        .await
        .unwrap_err();
        let texts: Vec<_> = error.group().unwrap().leaves().map(Error::to_string).collect();
        assert_eq!(texts, ["of the task", "of the service"]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn pat_09_either_nursery_can_be_cancelled_through_its_own_scope() {
    run_mock(async {
        for of_services in [true, false] {
            let (begun, ended) = (current_time(), &Cell::new(0));
            with_services(async |n, services| {
                for nursery in [n.cancel_scope(), services.cancel_scope()] {
                    assert!(!nursery.cancel_called());
                }
                services.start_soon(async {
                    let outcome = sleep_forever().await;
                    ended.set(ended.get() + 1);
                    Ok(outcome?)
                });
                n.start_soon(async {
                    sleep(1.0).await?;
                    if of_services {
                        services.cancel_scope().cancel()
                    } else {
                        n.cancel_scope().cancel()
                    }
                    Ok(())
                });
                let outcome = sleep_forever().await;
                ended.set(ended.get() + 1);
                Ok(outcome?)
            })
            .await?;
            assert_eq!((ended.get(), current_time() - begun), (2, 1.0));
        }
        Ok(())
    })
    .unwrap();
}
