//! Two UM servers as processes that share a PostgreSQL and their recordings, and a node in front of them.

use crate::dns::{Data, Dns};
use crate::process::{Process, Scratch, earcon, repository};
use crate::{audio, http};
use database::testing::Cluster;
use serde_json::Value;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What is long for a machine that does much else.
pub const SOON: Duration = Duration::from_secs(30);

/// The servers are at 127.0.N.4 and .5, the PBX that they know at .10.
pub struct Pair {
    pub scratch: Scratch,
    pub cluster: Cluster,
    net: u8,
    servers: [Mutex<Option<Process>>; 2],
}

impl Pair {
    /// Both run, with the guide's configuration and a short greeting for Anna, 27000.
    pub fn start(net: u8) -> Pair {
        let pair = Pair::prepare(net, "", None);
        pair.run(0);
        pair.configure();
        pair.run(1);
        pair
    }

    /// A database and um.toml for both; nothing runs. `parameters` follow the database's URL, `audio` is where recordings
    /// are, if not in a folder.
    pub fn prepare(net: u8, parameters: &str, audio: Option<&str>) -> Pair {
        let cluster = Cluster::start();
        let store = format!("{}{parameters}", cluster.database());
        Pair::of(net, Scratch::new(&format!("two-servers-{net}")), cluster, &store, audio)
    }

    /// The same with the store by URL.
    pub fn of(net: u8, scratch: Scratch, cluster: Cluster, store: &str, audio: Option<&str>) -> Pair {
        let token = scratch.file("token");
        std::fs::write(&token, "token-of-two-servers\n").unwrap();
        std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let pair = Pair { scratch, cluster, net, servers: Default::default() };
        let folder = pair.scratch.file("audio").display().to_string();
        for server in 0..2 {
            let toml = pair.toml(server, store, audio.unwrap_or(&folder));
            std::fs::write(pair.scratch.file(&format!("um{server}.toml")), toml).unwrap();
        }
        pair
    }

    fn toml(&self, server: usize, store: &str, audio: &str) -> String {
        let (address, web) = (self.address(server), self.web(server));
        let file = |name: &str| self.scratch.file(name).display().to_string();
        format!(
            "data = \"{}\"\nstore = \"{store}\"\naudio = \"{audio}\"\n[sip]\naddress = \"{address}\"\n\
             [media]\naddress = \"{address}\"\nports = [30000, 30999]\n\
             [web]\nlisten = \"127.0.0.1:{web}\"\nadmin_token_file = \"{}\"\n",
            file(&format!("um{server}")),
            file("token"),
        )
    }

    /// The lab's configuration, on this net, and a greeting of a fifth of a second: the tests are about recording.
    pub fn configure(&self) {
        let script = std::fs::read_to_string(repository().join("lab/exchange-um.ps1")).unwrap();
        self.umsh(0, &self.here(&script));
        let greeting: Vec<i16> = (0..1600).map(|n| if n % 16 < 8 { 3000 } else { -3000 }).collect();
        let wav = self.scratch.file("greeting.wav");
        audio::write_wav(&wav, &greeting);
        let put =
            self.rest(0, "PUT", "/api/v1/mailboxes/27000/greeting", Some(&std::fs::read(&wav).unwrap()), "audio/wav");
        assert!(put.status < 300, "{}", put.text());
    }

    /// A node that finds the servers by SRV, dials them for 43334, and takes calls from a tie line at 127.0.N.90.
    pub fn node(&self) -> Process {
        let [pbx, dns, tie] = [10, 53, 90].map(|host| format!("127.0.{}.{host}", self.net));
        let pool = Dns::start(&dns);
        let hosts = ["exc-2013-um1.moon.galaxy", "exc-2013-um2.moon.galaxy"];
        let services = hosts.map(|host| Data::service(1, 1, 5060, host)).to_vec();
        pool.records("_sip._tcp.exc-2013-um.moon.galaxy", services);
        for (server, host) in hosts.iter().enumerate() {
            pool.records(host, vec![Data::address(&self.address(server))]);
        }
        let data = self.scratch.file("node");
        let toml = format!(
            "data = \"{}\"\ndomain = \"mx-one-lync.lab.moon.galaxy\"\nring_time = 2\ndns = [\"{dns}:10053\"]\n\
             [sip]\naddress = \"{pbx}\"\n[media]\naddress = \"{pbx}\"\nports = [20000, 20999]\n",
            data.display()
        );
        std::fs::write(self.scratch.file("node.toml"), toml).unwrap();
        let config = self.scratch.file("node.toml");
        let node = Process::start(Command::new(earcon()).arg("node").arg("--config").arg(config));
        node.wait_for("ready", SOON);
        let script = |name: &str| std::fs::read_to_string(repository().join("lab").join(name)).unwrap();
        let own = format!(
            "rocai:rou=60,sel=7110000000000010,trm=4,serv=3100000001;\nrodai:rou=60,type=TL66;\n\
             roeqi:rou=60,tru=1-1&&1-60;\nroeqi:rou=55,tru=1-31&&1-60;\n\
             sip_route -set -route 55 -forced-gateway no -grey-time 1\n\
             sip_route -set -route 60 -profile DEFAULT -protocol tcp -uristring0 sip:?@{tie} -accept REMOTE_IP \
             -match {tie} -supervise NO_SUPERVISION\n"
        );
        let lines = [script("mx-one.mml"), script("load-balancing.mml"), own].concat();
        self.shell("mdsh", "node", &self.here(&lines));
        node
    }

    fn here(&self, script: &str) -> String {
        script.replace("192.168.222.", &format!("127.0.{}.", self.net))
    }

    pub fn address(&self, server: usize) -> String {
        format!("127.0.{}.{}", self.net, 4 + server)
    }

    pub fn web(&self, server: usize) -> u16 {
        18_000 + 1000 * u16::try_from(server).unwrap() + u16::from(self.net)
    }

    pub fn launch(&self, server: usize) {
        let config = self.scratch.file(&format!("um{server}.toml"));
        let mut command = Command::new(earcon());
        // Keys for a store of recordings that wants some.
        command.env("AWS_ACCESS_KEY_ID", "moon").env("AWS_SECRET_ACCESS_KEY", "secret-of-the-moon");
        let process = Process::start(command.arg("um").arg("--config").arg(config));
        *self.servers[server].lock().unwrap() = Some(process);
    }

    /// Starts a server, and waits until it takes calls.
    pub fn run(&self, server: usize) {
        self.launch(server);
        self.wait_for(server, "um ready");
    }

    pub fn wait_for(&self, server: usize, text: &str) -> String {
        self.process(server).as_ref().expect("it runs").wait_for(text, SOON)
    }

    /// What a server that runs has printed.
    pub fn output(&self, server: usize) -> String {
        self.process(server).as_ref().map(Process::output).unwrap_or_default()
    }

    fn process(&self, server: usize) -> MutexGuard<'_, Option<Process>> {
        self.servers[server].lock().unwrap()
    }

    /// SIGKILL.
    pub fn kill(&self, server: usize) {
        if let Some(mut process) = self.process(server).take() {
            process.kill();
        }
    }

    /// Whether it ends by itself, which a server does that can't start; what it said.
    pub fn must_end(&self, server: usize) -> String {
        let mut process = self.process(server).take().expect("it was launched");
        let status = process.wait(SOON);
        assert!(status.is_some_and(|status| !status.success()), "{}", process.output());
        process.output()
    }

    pub fn umsh(&self, server: usize, script: &str) -> String {
        self.shell("umsh", &format!("um{server}"), script)
    }

    /// The same; what it refuses, it may.
    pub fn umsh_whatever(&self, server: usize, script: &str) {
        let mut process = self.typed("umsh", &format!("um{server}"), script);
        assert!(process.wait(SOON).is_some(), "it ends");
    }

    fn shell(&self, shell: &str, data: &str, script: &str) -> String {
        let mut process = self.typed(shell, data, script);
        process.must_succeed(SOON);
        process.output()
    }

    fn typed(&self, shell: &str, data: &str, script: &str) -> Process {
        let data = self.scratch.file(data);
        let mut process = Process::start(Command::new(earcon()).arg(shell).arg("--data").arg(data));
        script.lines().for_each(|line| process.type_line(line));
        process.stdin.take();
        process
    }

    pub fn rest(&self, server: usize, method: &str, path: &str, body: Option<&[u8]>, kind: &str) -> http::Answer {
        http::call(self.web(server), method, path, body, kind, Some("token-of-two-servers"))
    }

    /// Anna's, newest first.
    pub fn messages(&self, server: usize) -> Vec<Value> {
        let answer = self.rest(server, "GET", "/api/v1/mailboxes/27000/messages", None, "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json().as_array().unwrap().clone()
    }

    pub fn audio(&self, server: usize, message: &Value) -> http::Answer {
        let path = format!("/api/v1/mailboxes/27000/messages/{}/audio", message["id"].as_str().unwrap());
        self.rest(server, "GET", &path, None, "")
    }
}

/// Looks again and again, until something is found.
pub fn wait<T>(limit: Duration, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "{what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
