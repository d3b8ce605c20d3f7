//! The examples of the docs as Rust: they compile against the real client, and send what the example says.

use client::{Client, Error};
use serde_json::Value;
use services::*;
use std::sync::Mutex;
use wire::Request;

/// Looks like the client, and keeps what it is asked to send.
struct Recorder(Mutex<Vec<(&'static str, &'static str, Value)>>);

impl Recorder {
    async fn call<R: Request>(&self, request: R) -> Result<R::Response, ()> {
        self.keep(&request)
    }

    async fn stream<R: Request>(&self, request: R) -> Result<Nothing<R::Response>, ()> {
        self.keep(&request)
    }

    /// The example ends here: there is nobody to answer it.
    fn keep<R: Request, T>(&self, request: &R) -> Result<T, ()> {
        let sent = serde_json::to_value(request).expect("a request is plain data");
        self.0.lock().expect("one thread").push((R::SERVICE, R::ENDPOINT, sent));
        Err(())
    }
}

/// A stream that never was.
struct Nothing<T>(Option<Result<T, ()>>);

impl<T> Nothing<T> {
    async fn next(&mut self) -> Option<Result<T, ()>> {
        self.0.take()
    }
}

macro_rules! example {
    ($name:ident, $service:literal, $endpoint:literal, $request:literal, |$client:ident| $code:block) => {
        mod $name {
            use super::*;

            /// What the docs print is what compiles.
            #[allow(dead_code, unused_variables, reason = "compiled, not called: no node is here")]
            async fn with_the_client($client: Client) -> Result<(), Error> {
                $code
                Ok(())
            }

            #[allow(unused_variables)]
            async fn recorded($client: &Recorder) -> Result<(), ()> {
                $code
                Ok(())
            }

            #[tokio::test]
            async fn sends_what_the_example_says() {
                let recorder = Recorder(Mutex::default());
                assert_eq!(recorded(&recorder).await, Err(()));
                let request = serde_json::from_str($request).expect("the example is JSON");
                assert_eq!(*recorder.0.lock().expect("one thread"), [($service, $endpoint, request)]);
            }
        }
    };
}

#[rustfmt::skip]
mod calls;
