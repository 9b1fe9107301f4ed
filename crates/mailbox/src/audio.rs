//! Where recordings are, by URL: a folder, or a bucket of a store that speaks S3.

use crate::OpenError;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{Certificate, ClientOptions, ObjectStore, RetryConfig};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A store that takes longer to answer counts as away; recordings wait in the spool then.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
/// A request is sent so many times more when the store is there and fails.
const RETRIES: usize = 2;

/// Where recordings are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioPlace {
    /// All servers that share it have it mounted.
    Folder(PathBuf),
    Bucket(Bucket),
}

/// A bucket of an S3 store, and what all names in it begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    name: String,
    prefix: String,
    /// Without one it is Amazon's own.
    endpoint: Option<String>,
    region: Option<String>,
    /// PEM, of the CA that the store's certificate is signed by.
    ca: Option<PathBuf>,
    timeout: Duration,
}

/// Why a URL names no place for recordings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioUrlError {
    /// It is neither a path nor one of the URLs that are known.
    #[error("is an absolute path, file:// and one, or s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION")]
    Malformed,
    #[error("names no bucket: s3://BUCKET/PREFIX")]
    NoBucket,
    /// One that is not known, or has no such value.
    #[error("has {0}: the parameters are endpoint=http(s)://HOST:PORT, region, ca=FILE and timeout=SECONDS (1 to 60)")]
    Parameter(String),
}

/// Why recordings can't be kept there.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The folder can't be made, or is not writable.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The CA's file can't be read, or what the environment says of credentials makes no sense.
    #[error("the store of recordings {bucket} can't be used: {reason}")]
    Bucket { bucket: Bucket, reason: String },
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.name, self.prefix)
    }
}

impl FromStr for AudioPlace {
    type Err = AudioUrlError;

    fn from_str(url: &str) -> Result<AudioPlace, AudioUrlError> {
        if let Some(rest) = url.strip_prefix("s3://") {
            return bucket(rest).map(AudioPlace::Bucket);
        }
        let path = PathBuf::from(url.strip_prefix("file://").unwrap_or(url));
        if path.is_absolute() { Ok(AudioPlace::Folder(path)) } else { Err(AudioUrlError::Malformed) }
    }
}

fn bucket(rest: &str) -> Result<Bucket, AudioUrlError> {
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
    if name.is_empty() {
        return Err(AudioUrlError::NoBucket);
    }
    let mut bucket = Bucket {
        name: name.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        endpoint: None,
        region: None,
        ca: None,
        timeout: TIMEOUT,
    };
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let wrong = || AudioUrlError::Parameter(parameter.to_owned());
        let (key, value) = parameter.split_once('=').filter(|(_, value)| !value.is_empty()).ok_or_else(wrong)?;
        match key {
            "endpoint" if value.starts_with("http://") || value.starts_with("https://") => {
                bucket.endpoint = Some(value.trim_end_matches('/').to_owned());
            }
            "region" => bucket.region = Some(value.to_owned()),
            "ca" => bucket.ca = Some(value.into()),
            "timeout" => {
                let seconds = value.parse().ok().filter(|seconds| (1..=60).contains(seconds)).ok_or_else(wrong)?;
                bucket.timeout = Duration::from_secs(seconds);
            }
            _ => return Err(wrong()),
        }
    }
    Ok(bucket)
}

impl AudioPlace {
    /// Makes the folder where it is not there yet. A bucket is asked when there is something for it: that it is away is no
    /// reason not to start. Keys come from the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what else
    /// Amazon's tools know).
    pub fn open(&self) -> Result<Arc<dyn ObjectStore>, AudioError> {
        match self {
            AudioPlace::Folder(folder) => Ok(audio_folder(folder)?),
            AudioPlace::Bucket(bucket) => {
                let opened = bucket.open(AmazonS3Builder::from_env());
                opened.map_err(|reason| AudioError::Bucket { bucket: bucket.clone(), reason })
            }
        }
    }
}

impl Bucket {
    /// `store` knows the keys.
    fn open(&self, store: AmazonS3Builder) -> Result<Arc<dyn ObjectStore>, String> {
        // Whoever was first has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let mut client =
            ClientOptions::new().with_timeout(self.timeout).with_connect_timeout(CONNECT).with_allow_http(plain);
        if let Some(file) = &self.ca {
            let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|error| format!("{}: {error}", file.display()))?;
            for certificate in certificates {
                client = client.with_root_certificate(certificate);
            }
        }
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: self.timeout, ..RetryConfig::default() };
        let mut store = store.with_bucket_name(&self.name).with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            store = store.with_endpoint(endpoint);
        }
        if let Some(region) = &self.region {
            store = store.with_region(region);
        }
        let store = store.with_client_options(client).build().map_err(|error| error.to_string())?;
        Ok(match self.prefix.as_str() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        })
    }
}

/// Recordings in a folder, which is created; it may be one that several servers have mounted.
pub(crate) fn audio_folder(folder: &Path) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let unwritable = |reason| OpenError::Folder { folder: folder.to_owned(), reason };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let blobs =
        LocalFileSystem::new_with_prefix(folder).map_err(|error| unwritable(io::Error::other(error.to_string())))?;
    Ok(Arc::new(blobs.with_fsync(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::Blobs;
    use bytes::Bytes;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    #[test]
    fn a_url_names_a_folder_or_a_bucket_and_what_is_wrong_with_it_is_said() {
        let folder = AudioPlace::Folder("/srv/audio".into());
        assert_eq!("/srv/audio".parse(), Ok(folder.clone()));
        assert_eq!("file:///srv/audio".parse(), Ok(folder));
        assert_eq!("srv/audio".parse::<AudioPlace>(), Err(AudioUrlError::Malformed));
        let url = "s3://voice/um/one/?endpoint=https://s3.moon.galaxy:9000/&region=eu-north-1&timeout=5&ca=/etc/ca.pem";
        let Ok(AudioPlace::Bucket(bucket)) = url.parse() else { panic!("a bucket") };
        assert_eq!(bucket.to_string(), "s3://voice/um/one");
        assert_eq!(bucket.endpoint.as_deref(), Some("https://s3.moon.galaxy:9000"));
        assert_eq!((bucket.timeout, bucket.ca), (Duration::from_secs(5), Some("/etc/ca.pem".into())));
        assert_eq!("s3:///um".parse::<AudioPlace>(), Err(AudioUrlError::NoBucket));
        for wrong in ["timeout=0", "endpoint=ftp://host", "secret=x", "region"] {
            let error = format!("s3://voice/um?{wrong}").parse::<AudioPlace>().unwrap_err();
            assert_eq!(error, AudioUrlError::Parameter(wrong.to_owned()));
        }
    }

    /// A store that gives every request this answer, or none. Returns what writing and reading come to.
    async fn ask(answer: Option<&'static str>) -> (String, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            // Kept open, so that who is not answered waits.
            let mut taken = Vec::new();
            for mut stream in listener.incoming().flatten() {
                if let Some(answer) = answer {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(answer.as_bytes());
                } else {
                    taken.push(stream);
                }
            }
        });
        let url = format!("s3://voice/um?endpoint=http://127.0.0.1:{port}&region=eu-north-1&timeout=1");
        let Ok(AudioPlace::Bucket(bucket)) = url.parse() else { panic!("a bucket") };
        let keys = AmazonS3Builder::new().with_access_key_id("moon").with_secret_access_key("secret-of-the-moon");
        let blobs = Blobs::new(bucket.open(keys).unwrap());
        let put = blobs.put_greeting("greetings/27000/personal", Bytes::from_static(b"RIFF")).await.unwrap_err();
        let get = blobs.get("greetings/27000/personal").await.unwrap_err();
        (put.to_string(), get.to_string())
    }

    #[tokio::test]
    async fn a_store_that_denies_that_is_slow_or_has_lost_a_recording_is_told_from_one_another() {
        let begun = Instant::now();
        let (put, get) = ask(Some("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")).await;
        for denied in [put, get] {
            assert!(denied.contains("refuses access") && !denied.contains("secret"), "{denied}");
        }
        let (put, get) = ask(Some("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")).await;
        assert!(put.contains("the place for recordings is not there"), "{put}");
        assert!(get.contains("the recording um/greetings/27000/personal is gone"), "{get}");
        let (put, get) = ask(None).await;
        for slow in [put, get] {
            assert!(slow.starts_with("the mailbox store is not available"), "{slow}");
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }
}
