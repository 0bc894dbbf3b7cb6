<?php

/** What the starter wrote for this instance. */
return json_decode(file_get_contents(getenv('SALLYPORT_IDP_SETTINGS')), true, 32, JSON_THROW_ON_ERROR);
