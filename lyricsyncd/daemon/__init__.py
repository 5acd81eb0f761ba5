"""The service: it watches the libraries, queues songs and takes them through the stages.

===============  =======================================================================
`catalog`        what is known of every song, and what comes next; the only durable truth
`entry`          a song as the catalog knows it
`database`       the catalog's file: one thread that writes, any number of readers
`queries`        what the catalog is asked
`transitions`    what becomes of a song, inside a transaction
`backup`         a copy of the catalog, and the way back from it
`migrations`     the catalog's tables, step by step
`mounts`         which file systems are on a network, or do not tell of changes
`scan`           which files are songs; a library compared with the catalog
`settle`         when a file has been copied completely
`watcher`        hints of changes from the file system
`schedule`       when the next scan is due; quiet hours
`executor`       runs functions in one process of its own, and survives its end
`gpu`            whether somebody else is at the graphics card
`memory`         how much there is, and how much a process takes
`cluster`        sends songs to other computers instead
`cluster_worker` what runs there
`worker`         what runs in that process: the pipeline, kept warm
`runner`         takes songs from the catalog through find, place and write
`notify`         tells systemd how we are
`service`        the loop around all of it
===============  =======================================================================

Nothing here loads a model or numpy: the idle service stays small.
"""
