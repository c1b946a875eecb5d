//! The object store is away while a show is on air and recorded into it: nothing is lost, however long it takes.

use std::env;
use std::fs;

use crate::reel::RENDITIONS;
use crate::show::SETTINGS;
use crate::stage::Stage;
use crate::support::server::Site;
use crate::support::within;
use crate::weed::Weed;

/// Segments of a second that are looked at together.
const STRIDE: u64 = 5;

fn settings(weed: &Weed) -> String {
    format!(
        "{SETTINGS}[storage]\nobject_url = \"s3://shows/live\"\nobject_endpoint = \"{}\"\n\
         object_region = \"us-east-1\"\nobject_access_key = \"key\"\nobject_secret_key = \"sesame\"\n\
         object_keep_local = false\n",
        weed.endpoint()
    )
}

/// `SOAK_OUTAGE` says how many seconds it lasts.
#[test]
fn an_outage_of_the_object_store_loses_nothing() {
    let outage = env::var("SOAK_OUTAGE").map_or(STRIDE, |text| text.parse().expect("SOAK_OUTAGE is seconds"));
    let mut weed = Weed::start();
    let server = Site::new(&settings(&weed), &[]).left_after_failure().start();
    let mut stage = Stage::on(server, outage as usize + 14);
    stage.publish(0);
    stage.goes_on(3);
    weed.kill();
    let away = stage.media().last().number;
    while stage.media().last().number < away + outage {
        stage.goes_on(STRIDE.min(outage));
    }
    weed.resume();
    stage.play_out();
    stage.end();
    let here = || fs::read_dir(stage.folder()).expect("a folder").map(|it| it.expect("a file").path());
    within(120 + outage, "the store has it all, alone", || {
        here().all(|file| file.extension().is_none_or(|it| it != "mp4")).then_some(())
    });
    for rendition in RENDITIONS {
        let played = stage.on_demand(rendition);
        let lives = stage.reel.index(rendition).lives(&played.frames, &[0]);
        let whole = 0..=stage.reel.length(rendition) - 1;
        assert_eq!(lives, Ok(vec![Some(whole)]), "{rendition}");
    }
}
