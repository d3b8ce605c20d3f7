//! How RocksDB is set up here, each choice with its reason.

use super::Presence;
use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, LogLevel, Options};

/// What bounds the engine's memory: block cache and, at most, four write buffers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Blocks, indexes and filters read from files.
    pub block_cache_bytes: usize,
    /// One memtable; a full one is flushed.
    pub write_buffer_bytes: usize,
}

impl Default for Settings {
    /// For a node that idles below 200 MiB, everything else included.
    fn default() -> Settings {
        Settings { block_cache_bytes: 48 << 20, write_buffer_bytes: 16 << 20 }
    }
}

pub fn of(settings: &Settings, presence: Presence) -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_lru_cache(settings.block_cache_bytes));
    // Else indexes and filters grow beside the cache, with the data and without a bound.
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_cache_index_and_filter_blocks_with_high_priority(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // A command asks for rows that mostly do not exist yet (request ids): 1 % of those reads touch a file.
    tables.set_bloom_filter(10.0, false);
    tables.set_block_size(8 << 10);

    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.create_if_missing(presence == Presence::MayCreate);
    // Every block, file and manifest is checked when read or opened; damage is an error, never skipped.
    options.set_paranoid_checks(true);
    options.set_write_buffer_size(settings.write_buffer_bytes);
    options.set_max_write_buffer_number(4);
    options.set_max_open_files(512);
    options.set_max_background_jobs(2);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_target_file_size_base(16 << 20);
    // Spreads a flush's and a compaction's writes out, so that the log's fsync beside them waits less.
    options.set_bytes_per_sync(1 << 20);
    // RocksDB's own diary: four files of 4 MiB at most, warnings only.
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    options.set_stats_dump_period_sec(0);
    options
}
