use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crossbeam_channel::bounded;

use super::*;
use crate::config::{CommandLine, Sources, load};
use crate::kernel::Root;
use crate::scan::Site;

#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_end_of_the_control_thread_is_said_once_and_the_scans_go_on() {
    let sink = Sink::default();
    let sources = Sources {
        root: "/nowhere".into(),
        file: None,
        drop_in: None,
        command_line: CommandLine::default(),
    };
    let settings = load(&sources, &[]).settings;
    let site = Site::looked_at(Root::Recorded([].into()));
    let agent = Agent::build(site, &settings, &[]).unwrap();
    let journal = Logger::to_writer(Box::new(sink.clone()), 0);
    let mut main_loop = MainLoop::new(agent, journal, None, Service::new(None, None));
    let (tell, wishes) = bounded(1);
    let (gone, calls) = bounded(1);
    drop(gone);

    // The order of what is ready is not fixed.
    let ending = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(1));
        tell.send(SignalRequest::End).unwrap();
    });
    main_loop.run(&wishes, &calls, || {}, |_, _| Ok(None));
    ending.join().unwrap();

    let said = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.matches(NO_CALLS).count(), 1, "{said}");
}
